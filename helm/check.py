"""Checks of the chart, without a cluster; `make helm` runs them.

Lints; renders the default, development and production values; refuses bad values (refused.py); validates every object
against the oldest and newest supported Kubernetes; holds the objects against the suite's own rules (rules.py).
Prints one line a check, every problem, and exits 1 if there was one.
"""

import copy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import helm_python as helm
import kubernetes_validate
import yaml

import rules
from refused import REFUSED

HERE = Path(__file__).parent
CHART = HERE / "meridian"
KUBERNETES = ("1.30", "1.37")
# Kinds of the Prometheus operator: Kubernetes has no schema for them.
OPERATOR_KINDS = {"ServiceMonitor", "PrometheusRule"}


def overlay(base, top):
    """Lays values over others the way Helm does: maps merge, all else replaces, null removes."""
    merged = copy.deepcopy(base)
    for key, value in top.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = overlay(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def values_of(file):
    return helm.values_from_yaml((CHART / file).read_text())


def render(chart, values, name="meridian"):
    """All objects of a release, in no particular order."""
    manifests = chart.render(values, name=name, namespace="meridian", is_install=True)
    return [
        document
        for path, text in manifests.items()
        if not path.endswith("NOTES.txt")
        for document in yaml.safe_load_all(text)
        if document
    ]


def lint(values):
    report = helm.lint(CHART, values, strict=True, namespace="meridian", kube_version=f"v{KUBERNETES[0]}.0")
    notable = [f"{m['path']}: {m['error']}" for m in report["messages"] if m["severity"] >= 2]
    return notable + [error for error in report["errors"] if error not in notable]


def against_kubernetes(documents):
    """Every object has a schema in every supported version and satisfies it, with no property besides."""
    for document in documents:
        if document["kind"] in OPERATOR_KINDS:
            continue
        for version in KUBERNETES:
            where = f"{document['kind']}/{document['metadata']['name']} in {version}"
            try:
                used = kubernetes_validate.validate(document, version, strict=True)
                if used != version:
                    yield f"{where}: validated against {used} for want of the right schema"
            except kubernetes_validate.ValidationError as error:
                yield f"{where}: {'.'.join(map(str, error.path))}: {error.message}"
            except kubernetes_validate.SchemaNotFoundError as error:
                yield f"{where}: {error.message}"


def refusals(chart):
    """Every bad value is refused, by a message that names it."""
    for wrong, values, part in REFUSED:
        try:
            chart.render(values, name="meridian", namespace="meridian")
        except helm.HelmError as error:
            if part not in str(error):
                yield f"{wrong}: refused, but the message does not name {part!r}: {error}"
        else:
            yield f"{wrong}: accepted: {values}"


def alerts(documents):
    """The alerts parse, and fire and stay silent as alerts_test.yaml says."""
    groups = next(d["spec"]["groups"] for d in documents if d["kind"] == "PrometheusRule")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
        shutil.copy(HERE / "alerts_test.yaml", folder)
        for command in (["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"], ["test", "rules", "alerts_test.yaml"]):
            done = subprocess.run(["promtool", *command], cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                yield f"promtool {' '.join(command)}: {done.stdout}{done.stderr}"


class Report:
    """Prints as it goes and remembers whether anything was wrong."""

    def __init__(self):
        self.failed = False

    def check(self, name, problems):
        problems = list(problems)
        self.failed |= bool(problems)
        print(f"{'FAIL' if problems else 'ok  '} {name}")
        for problem in problems:
            print(f"     {problem}")


def main():
    report = Report()
    defaults = values_of("values.yaml")
    with helm.Chart.load(CHART) as chart:
        for name, file in (("default", None), ("dev", "values-dev.yaml"), ("prod", "values-prod.yaml")):
            top = values_of(file) if file else {}
            values = overlay(defaults, top)
            report.check(f"{name}: lint", lint(top))
            documents = render(chart, top)
            report.check(f"{name}: {len(documents)} objects against Kubernetes {' and '.join(KUBERNETES)}", against_kubernetes(documents))
            for rule in rules.ALL:
                report.check(f"{name}: {rule.__doc__}", rule(documents, values))

        report.check(f"{len(REFUSED)} bad values are refused", refusals(chart))
        report.check("options", rules.options(lambda top, **kw: render(chart, top, **kw)))
        report.check("README lists every value", rules.readme(defaults, (CHART / "README.md").read_text()))

        everything = render(chart, values_of("values-prod.yaml"))
        if shutil.which("promtool"):
            report.check("alerts", alerts(everything))
        else:
            print("skipped: alert rules (promtool not found; Debian package prometheus)")
    return report.failed


if __name__ == "__main__":
    sys.exit(main())
