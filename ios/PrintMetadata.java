import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Prints what Kotlin/Native's libraries declare, each into a file of the framework's name: `PrintMetadata FOLDER LIBRARY…`. For `cargo xtask ios-check`. */
class PrintMetadata {
    public static void main(String[] arguments) throws Exception {
        var tool = Class.forName("org.jetbrains.kotlin.cli.klib.Main").getMethod("main", String[].class);
        for (int i = 1; i < arguments.length; i++) {
            var name = arguments[i].substring(arguments[i].lastIndexOf('.') + 1);
            var done = Path.of(arguments[0], name + ".txt");
            var begun = Path.of(arguments[0], name + ".part");
            try (var out = new PrintStream(Files.newOutputStream(begun))) {
                System.setOut(out);
                tool.invoke(null, (Object) new String[] {"dump-metadata", arguments[i]});
            }
            Files.move(begun, done, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
