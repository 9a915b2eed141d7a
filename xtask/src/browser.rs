//! The page's tests: its modules in Node.js, the page itself in Chromium against the real server.

use crate::run::{cargo, program, root};
use crate::steps::Steps;

pub(crate) fn steps(steps: &mut Steps) {
    steps.step("the page's modules in Node.js", || {
        program("npm").args(["run", "--silent", "unit"]).dir(root().join("tests/browser")).passes()
    });
    steps.step("the page in Chromium", || {
        cargo(&["build", "--workspace"]).done()?;
        program("npm").args(["run", "--silent", "stories"]).dir(root().join("tests/browser")).passes()
    });
}
