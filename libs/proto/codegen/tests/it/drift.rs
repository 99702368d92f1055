use codegen::Project;

use crate::support::tools;

#[test]
fn committed_code_is_what_the_protos_give() {
    if !tools("drift of the generated code") {
        return;
    }
    let project = Project::here();
    let drift: Vec<_> = project.generate().unwrap().iter().flat_map(|tree| tree.drift().unwrap()).collect();
    let drift: Vec<_> = drift.iter().map(|path| project.relative(path)).collect();
    assert!(drift.is_empty(), "run `make proto`; these differ from the protos: {drift:?}");
}
