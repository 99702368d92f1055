use std::{fmt, process::ExitCode};

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the outcome is the exit code"]
pub enum Outcome {
    /// It was asked to stop and everything ended by itself.
    Clean,
    /// An essential task failed; the text says which and why.
    Failed(String),
    /// Something was still running when the drain timeout ran out.
    TimedOut,
    /// A second signal cut the drain short.
    Aborted,
}

impl Outcome {
    /// 0 only after a clean stop. An abort is 130, as after a SIGINT that nobody handles.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Clean => ExitCode::SUCCESS,
            Self::Failed(_) | Self::TimedOut => ExitCode::FAILURE,
            Self::Aborted => ExitCode::from(130),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("stopped"),
            Self::Failed(why) => write!(f, "stopped because of a failure: {why}"),
            Self::TimedOut => f.write_str("stopped, but some work did not end in time and was dropped"),
            Self::Aborted => f.write_str("stopped at once, on a second signal"),
        }
    }
}
