// Calls between the command line and Pion, which sends back the pictures and the sound that it gets.
//
// Usage: pion CHAMADA [CASE...]. Prints a line per case, and appends it as JSON to the file that CHAMADA_INTEROP_CELLS names; exits
// with 1 if one failed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// How long a case may take.
const patience = 25 * time.Second

// Cases that are tried at a time.
const atATime = 4

func main() {
	// They complain about sockets that are closed at the end.
	_ = os.Setenv("PION_LOG_DISABLE", "ice,twcc_sender_interceptor")
	chamada, only := os.Args[1], os.Args[2:]
	server := exec.Command(chamada, "serve", "--listen", "127.0.0.1:0")
	output, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		fmt.Println("the server does not start:", err)
		os.Exit(1)
	}
	url := addressIn(output)
	failed := runAll(chamada, url, only)
	_ = server.Process.Kill()
	_ = server.Wait()
	if failed > 0 {
		os.Exit(1)
	}
}

// Reads the server's lines up to the one that has its address.
func addressIn(output io.Reader) string {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if _, rest, found := strings.Cut(lines.Text(), "http://"); found {
			host, _, _ := strings.Cut(rest, "/")
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return "ws://" + host + "/"
		}
	}
	return ""
}

func runAll(chamada, url string, only []string) int {
	var lock sync.Mutex
	var running sync.WaitGroup
	failed := 0
	places := make(chan struct{}, atATime)
	for number, one := range cases {
		if len(only) > 0 && !slices.Contains(only, one.what) {
			continue
		}
		running.Add(1)
		places <- struct{}{}
		go func() {
			defer func() { <-places; running.Done() }()
			figures, err := one.run(chamada, url, number)
			lock.Lock()
			defer lock.Unlock()
			verdict := "ok    "
			if err != nil {
				failed++
				verdict, figures = "FAILED", fmt.Sprintf("%v (%s)", err, figures)
			}
			fmt.Printf("%s %s, %s: %s\n", verdict, one.way, one.what, figures)
			tell(one, err == nil)
		}()
	}
	running.Wait()
	return failed
}

func tell(one callCase, passed bool) {
	path := os.Getenv("CHAMADA_INTEROP_CELLS")
	if path == "" {
		return
	}
	cell := map[string]any{"peer": "Pion " + pionVersion(), "what": one.what, "way": one.way, "passed": passed}
	line, err := json.Marshal(cell)
	if err != nil {
		return
	}
	if file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err == nil {
		_, _ = file.Write(append(line, '\n'))
		_ = file.Close()
	}
}

func pionVersion() string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == "github.com/pion/webrtc/v4" {
				return strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return "?"
}
