//! What is typed while a call goes on: answers to `--verify`, and the words of `--commands`.

use tokio::sync::mpsc;

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Whether the words of the check are the same.
    Same(bool),
    Hold,
    Resume,
    HangUp,
    HoldAndAccept,
    EndAndAccept,
    Decline,
    Swap,
    ShareScreen,
    StopScreen,
}

const COMMANDS: [Typed; 9] = [
    Typed::Hold,
    Typed::Resume,
    Typed::HangUp,
    Typed::HoldAndAccept,
    Typed::EndAndAccept,
    Typed::Decline,
    Typed::Swap,
    Typed::ShareScreen,
    Typed::StopScreen,
];

impl Typed {
    /// What is typed for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Same(true) => "yes",
            Self::Same(false) => "no",
            Self::Hold => "hold",
            Self::Resume => "resume",
            Self::HangUp => "hang-up",
            Self::HoldAndAccept => "hold-and-accept",
            Self::EndAndAccept => "end-and-accept",
            Self::Decline => "decline",
            Self::Swap => "swap",
            Self::ShareScreen => "share-screen",
            Self::StopScreen => "stop-screen",
        }
    }

    fn read(line: &str, verify: bool, commands: bool) -> Option<Self> {
        let word = line.trim().to_lowercase();
        let same = match word.as_str() {
            "yes" | "y" | "sim" | "s" => Some(Self::Same(true)),
            "no" | "n" | "não" | "nao" => Some(Self::Same(false)),
            _ => None,
        };
        let wanted = COMMANDS.into_iter().find(|one| one.word() == word);
        same.filter(|_| verify).or(wanted.filter(|_| commands))
    }
}

/// What is typed, line by line. Read in a thread of its own, which ends with the command: a line may never come. Without either option nothing is
/// read, since a command in the background of a terminal is stopped when it reads there.
pub(crate) fn lines(verify: bool, commands: bool) -> Option<mpsc::Receiver<Typed>> {
    if !verify && !commands {
        return None;
    }
    let (sender, typed) = mpsc::channel(4);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            match Typed::read(&line, verify, commands) {
                Some(wanted) if sender.blocking_send(wanted).is_err() => return,
                None if commands && !line.trim().is_empty() => {
                    eprintln!("chamada: not understood; see --commands in --help")
                }
                _ => {}
            }
        }
    });
    Some(typed)
}

/// The next line; never one where none is asked for or no more can come.
pub(crate) async fn next(typed: &mut Option<mpsc::Receiver<Typed>>) -> Typed {
    if let Some(open) = typed {
        if let Some(wanted) = open.recv().await {
            return wanted;
        }
        *typed = None;
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_understood() {
        assert_eq!(Typed::read(" Hold\r", false, true), Some(Typed::Hold));
        assert_eq!(Typed::read("hold", true, false), None);
        assert_eq!(Typed::read("não", true, true), Some(Typed::Same(false)));
        assert_eq!(Typed::read("no", false, true), None);
        assert_eq!(Typed::read("hold it", true, true), None);
    }
}
