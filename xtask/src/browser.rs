//! The page's checks: its types, what eslint says, its modules in Node.js, and the page itself in Chromium against the real server.

use crate::run::{build_debug, program, root};
use crate::steps::Steps;

pub(crate) fn steps(steps: &mut Steps) {
    for (what, script) in [("the page's types, by tsc", "types"), ("the page and its tests, by eslint", "lint")] {
        steps
            .step(what, || program("npm").args(["run", "--silent", script]).dir(root().join("tests/browser")).passes());
    }
    steps.step("the page's modules in Node.js", || {
        program("npm").args(["run", "--silent", "unit"]).dir(root().join("tests/browser")).passes()
    });
    steps.step("the page in Chromium", || {
        build_debug().done()?;
        program("npm").args(["run", "--silent", "stories"]).dir(root().join("tests/browser")).passes()
    });
}
