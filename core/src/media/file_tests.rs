use super::*;
use crate::media::test_dir::TestDir;

#[test]
fn what_stands_in_the_way_of_a_file_is_said_and_nothing_is_made() {
    let dir = TestDir::new();
    fs::write(dir.path("old.wav"), "old").unwrap();
    fs::create_dir(dir.path("folder")).unwrap();
    for (name, said) in
        [("folder", "it is a folder"), ("missing/new.wav", "missing is not there"), ("old.wav/new.wav", "old.wav")]
    {
        let error = check_output(&dir.path(name)).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    assert!(check_output(Path::new("/dev/null")).unwrap_err().to_string().contains("a pipe or a device"));
    // Nobody, not even root, makes files there.
    #[cfg(target_os = "linux")]
    assert!(check_output(Path::new("/proc/self/new.wav")).unwrap_err().to_string().contains("no file can be made in"));
    check_output(&dir.path("old.wav")).unwrap();
    check_output(&dir.path("new.wav")).unwrap();
    assert_eq!(dir.names(), ["folder", "old.wav"]);
    assert_eq!(fs::read(dir.path("old.wav")).unwrap(), b"old");
}

#[test]
fn only_files_are_played_and_a_pipe_is_not_waited_for() {
    let dir = TestDir::new();
    assert!(open_input(&dir.path("")).unwrap_err().to_string().contains("it is a folder"));
    #[cfg(unix)]
    {
        assert!(std::process::Command::new("mkfifo").arg(dir.path("pipe")).status().unwrap().success());
        assert!(open_input(&dir.path("pipe")).unwrap_err().to_string().contains("a pipe or a device"));
    }
    assert!(matches!(open_input(&dir.path("none")), Err(FileError::Io { .. })));
}
