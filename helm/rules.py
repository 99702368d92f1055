"""The suite's own rules for the rendered objects. A rule takes the objects and the values, and yields problems."""

import tomllib
from pathlib import Path

# What each service may know, told a second time so that a slip in the chart's contract shows here.
REDIS, SEED, MASTER, SANDBOX = (
    "MERIDIAN__REDIS__URL",
    "MERIDIAN__AUTH__SERVICE_KEY_SEED",
    "MERIDIAN__AUTH__MASTER_KEY",
    "MERIDIAN__SANDBOX__SECRET",
)
# Payment's own, each only where the values name its Secret.
OPTIONAL = {
    "wechatPrivateKey": "MERIDIAN__WECHAT__PRIVATE_KEY",
    "wechatApiKey": "MERIDIAN__WECHAT__API_V3_KEY",
    "alipayPrivateKey": "MERIDIAN__ALIPAY__PRIVATE_KEY",
    "sandbox": SANDBOX,
}
SECRETS = {
    "booking": {"MERIDIAN__BOOKING__DATABASE_URL", REDIS, SEED},
    "membership": {"MERIDIAN__MEMBERSHIP__DATABASE_URL", REDIS, SEED, MASTER},
    "payment": {"MERIDIAN__PAYMENT__DATABASE_URL", REDIS, SEED, MASTER, *OPTIONAL.values()},
    "marketing": {"MERIDIAN__MARKETING__DATABASE_URL", REDIS, SEED, MASTER},
    "analytics": {"MERIDIAN__ANALYTICS__DATABASE_URL", REDIS, SEED, MASTER},
    "gateway": {SEED},
}
PORTS = {"booking": 50051, "membership": 50052, "payment": 50053, "marketing": 50054, "analytics": 50055, "gateway": 8080}
ADMIN_PORT = 9464
# Where the executable says which settings it knows.
SETTINGS = [Path(__file__).parent.parent / "libs/runtime/src/config" / name for name in ("settings.rs", "providers.rs")]
COMPONENT = "app.kubernetes.io/component"
WORKLOADS = ("Deployment", "Job", "CronJob")


def of_kind(documents, *kinds):
    return [d for d in documents if d["kind"] in kinds]


def is_hook(document):
    return "helm.sh/hook" in document["metadata"].get("annotations", {})


def named(document):
    return f"{document['kind']}/{document['metadata']['name']}"


def template(workload):
    spec = workload["spec"]
    return (spec["jobTemplate"]["spec"] if workload["kind"] == "CronJob" else spec)["template"]


def container(workload):
    return template(workload)["spec"]["containers"][0]


def pod_labels(workload):
    return template(workload)["metadata"]["labels"]


def selects(selector, labels):
    return (selector or {}).get("matchLabels", {}).items() <= labels.items()


def by_role(documents):
    return {pod_labels(d)[COMPONENT]: d for d in of_kind(documents, "Deployment")}


def roles(documents, _values):
    """every role is deployed once, by its own argument"""
    found = sorted(container(d)["args"] for d in of_kind(documents, "Deployment"))
    expected = sorted(["serve", role] for role in PORTS)
    if found != expected:
        yield f"deployed {found}"


def probes(documents, _values):
    """startup, liveness and readiness probes of the right kind"""
    for role, deployment in by_role(documents).items():
        pod = container(deployment)
        for probe, service, path in (
            ("startupProbe", "liveness", "/healthz"),
            ("livenessProbe", "liveness", "/healthz"),
            ("readinessProbe", role, "/readyz"),
        ):
            if role == "gateway":
                expected = {"httpGet": {"path": path, "port": "admin"}}
            else:
                expected = {"grpc": {"port": PORTS[role], "service": service}}
            if not expected.items() <= pod.get(probe, {}).items():
                yield f"{named(deployment)}: {probe} is {pod.get(probe)}"


def limits(documents, _values):
    """every container has requests and limits"""
    for workload in of_kind(documents, *WORKLOADS):
        resources = container(workload).get("resources", {})
        for kind in ("requests", "limits"):
            if set(resources.get(kind, {})) != {"cpu", "memory"}:
                yield f"{named(workload)}: {kind} are {resources.get(kind)}"


def restricted(documents, _values):
    """every pod satisfies the restricted profile and has no token"""
    for workload in of_kind(documents, *WORKLOADS):
        pod = template(workload)["spec"]
        context, inner = pod.get("securityContext", {}), container(workload).get("securityContext", {})
        satisfied = {
            "runAsNonRoot": context.get("runAsNonRoot") is True and context.get("runAsUser", 0) > 0,
            "seccomp": context.get("seccompProfile") == {"type": "RuntimeDefault"},
            "escalation": inner.get("allowPrivilegeEscalation") is False and not inner.get("privileged"),
            "root filesystem": inner.get("readOnlyRootFilesystem") is True,
            "capabilities": inner.get("capabilities") == {"drop": ["ALL"]},
            "token": pod.get("automountServiceAccountToken") is False,
            "service links": pod.get("enableServiceLinks") is False,
            "host": not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")),
            "volumes": all("configMap" in volume or volume.get("emptyDir", {}).get("sizeLimit")
                           for volume in pod.get("volumes", [])),
            "one container": len(pod["containers"]) == 1 and not pod.get("initContainers"),
        }
        yield from (f"{named(workload)}: {what}" for what, holds in satisfied.items() if not holds)


def secrets(documents, values):
    """each pod gets its own secrets only, from existing Secrets, and no secret value is rendered"""
    optional = {variable for secret, variable in OPTIONAL.items() if not values["secrets"][secret]["name"]}
    every_database = {name for names in SECRETS.values() for name in names if name.endswith("DATABASE_URL")}
    expected = {role: names - optional for role, names in SECRETS.items()} | {"migration": every_database}
    expected["audit"] = {"MERIDIAN__PAYMENT__DATABASE_URL"}
    for workload in of_kind(documents, *WORKLOADS):
        pod, role = container(workload), pod_labels(workload)[COMPONENT]
        found = {e["name"] for e in pod["env"] if "valueFrom" in e}
        if found != expected[role]:
            yield f"{named(workload)}: reads {sorted(found)}, expected {sorted(expected[role])}"
        if "envFrom" in pod:
            yield f"{named(workload)}: takes a whole object as its environment"
        plain = {e["name"] for e in pod["env"] if "value" in e} - {"MERIDIAN_CONFIG", "MERIDIAN__TELEMETRY__LOG_FORMAT"}
        if plain:
            yield f"{named(workload)}: plain values of {sorted(plain)}"
    sources = {}
    for role, service in values["services"].items():
        if "databaseSecret" in service:
            sources[f"MERIDIAN__{role.upper()}__DATABASE_URL"] = service["databaseSecret"]
    for workload in of_kind(documents, *WORKLOADS):
        for variable in container(workload)["env"]:
            expected_source = sources.get(variable["name"])
            if expected_source and pod_labels(workload)[COMPONENT] == "audit" and values["audit"]["databaseSecret"]["name"]:
                expected_source = values["audit"]["databaseSecret"]
            if expected_source and variable["valueFrom"]["secretKeyRef"] != expected_source:
                yield f"{named(workload)}: {variable['name']} comes from {variable['valueFrom']}"
    yield from (f"{named(d)} is rendered" for d in of_kind(documents, "Secret"))


def configuration(documents, values):
    """the TOML file parses, and its addresses are those of the pods and Services"""
    (config,) = of_kind(documents, "ConfigMap")
    try:
        parsed = tomllib.loads(config["data"]["config.toml"])
    except tomllib.TOMLDecodeError as error:
        yield f"config.toml: {error}"
        return
    prefix = config["metadata"]["name"].removesuffix("-config")
    expected = {"http": {"addr": f"0.0.0.0:{PORTS['gateway']}"}, "admin": {"addr": f"0.0.0.0:{ADMIN_PORT}"}}
    expected["lifecycle"] = {"drain_timeout_seconds": values["shutdown"]["drainSeconds"]}
    expected["sandbox"] = {"enabled": bool(values["secrets"]["sandbox"]["name"])}
    for role, port in PORTS.items():
        if role != "gateway":
            expected[role] = {"grpc_addr": f"0.0.0.0:{port}", "url": f"http://{prefix}-{role}:{port}"}
    for section, keys in expected.items():
        if not keys.items() <= parsed.get(section, {}).items():
            yield f"[{section}] is {parsed.get(section)}, expected {keys}"
    known = "".join(file.read_text() for file in SETTINGS)
    for section, keys in parsed.items():
        for key in [section, *keys]:
            if f"pub {key}: " not in known:
                yield f"[{section}] {key} is no setting of the executable"
    for deployment in of_kind(documents, "Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        mounts = {m["mountPath"]: m["name"] for m in container(deployment)["volumeMounts"]}
        volume = next((v for v in pod["volumes"] if v["name"] == mounts.get("/etc/meridian")), {})
        if volume.get("configMap", {}).get("name") != config["metadata"]["name"]:
            yield f"{named(deployment)}: does not mount {config['metadata']['name']}"
        if "checksum/config" not in deployment["spec"]["template"]["metadata"]["annotations"]:
            yield f"{named(deployment)}: has no checksum of its configuration"


def references(documents, values):
    """Services, budgets, autoscalers, monitors and ingresses point at what exists"""
    deployments = of_kind(documents, "Deployment")
    services = {s["metadata"]["name"]: s for s in of_kind(documents, "Service")}
    for service in services.values():
        targets = [d for d in deployments if service["spec"]["selector"].items() <= pod_labels(d).items()]
        if len(targets) != 1:
            yield f"{named(service)}: selects {len(targets)} Deployments"
            continue
        ports = {p["name"]: p["containerPort"] for p in container(targets[0])["ports"]}
        for port in service["spec"]["ports"]:
            if ports.get(port["targetPort"]) != port["port"]:
                yield f"{named(service)}: port {port} is not among {ports}"
    for budget in of_kind(documents, "PodDisruptionBudget"):
        if sum(selects(budget["spec"]["selector"], pod_labels(d)) for d in deployments) != 1:
            yield f"{named(budget)}: does not select one Deployment"
    scaled = {h["spec"]["scaleTargetRef"]["name"] for h in of_kind(documents, "HorizontalPodAutoscaler")}
    for deployment in deployments:
        # A fixed count would undo the autoscaler's at every upgrade.
        if (deployment["metadata"]["name"] in scaled) == ("replicas" in deployment["spec"]):
            yield f"{named(deployment)}: must have either a count or an autoscaler"
        scaled.discard(deployment["metadata"]["name"])
        seconds = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        if seconds <= values["shutdown"]["drainSeconds"] + values["shutdown"]["preStopSeconds"]:
            yield f"{named(deployment)}: is killed while it drains"
    if scaled:
        yield f"autoscalers of nothing: {sorted(scaled)}"
    for monitor in of_kind(documents, "ServiceMonitor"):
        watched = [s for s in services.values() if selects(monitor["spec"]["selector"], s["metadata"]["labels"])]
        (endpoint,) = monitor["spec"]["endpoints"]
        if len(watched) != len(PORTS) or any(endpoint["port"] not in {p["name"] for p in s["spec"]["ports"]} for s in watched):
            yield f"{named(monitor)}: watches {[named(s) for s in watched]}"
        if endpoint.get("honorLabels") is not True:
            yield f"{named(monitor)}: the operator's `service` label would hide the executable's"
    for ingress in of_kind(documents, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = services.get(backend["name"], {}).get("spec", {}).get("ports", [])
                if backend["port"]["name"] not in {p["name"] for p in ports}:
                    yield f"{named(ingress)}: {backend} does not exist"


def network(documents, values):
    """deny by default; both ends of every allowed way agree; all reach membership, only services reach gRPC"""
    policies = of_kind(documents, "NetworkPolicy")
    pods = {pod_labels(w)[COMPONENT]: w for w in of_kind(documents, *WORKLOADS)}
    chosen = {p["metadata"]["name"]: [r for r, w in pods.items() if selects(p["spec"]["podSelector"], pod_labels(w))] for p in policies}
    for policy in policies:
        if not chosen[policy["metadata"]["name"]]:
            yield f"{named(policy)}: selects no pod"
        if sorted(policy["spec"]["policyTypes"]) != ["Egress", "Ingress"]:
            yield f"{named(policy)}: governs only {policy['spec']['policyTypes']}"
    denying = [p for p in policies if not p["spec"].get("ingress") and not p["spec"].get("egress")]
    if not any(set(chosen[p["metadata"]["name"]]) == set(pods) for p in denying):
        yield "no policy denies everything for every pod"

    def ways(direction, peers):
        """Pairs (role, other role, port) between pods of this release that policies of a direction allow."""
        for policy in policies:
            for rule in policy["spec"].get(direction) or []:
                if not rule.get(peers) or not rule.get("ports"):
                    yield from (("anybody", named(policy), None),)
                    continue
                for peer in rule[peers]:
                    selector = peer.get("podSelector")
                    if not selector or "namespaceSelector" in peer:
                        continue
                    others = [r for r, w in pods.items() if selects(selector, pod_labels(w))]
                    if not others:
                        yield ("nobody", named(policy), str(peer))
                    for role in chosen[policy["metadata"]["name"]]:
                        for other in others:
                            for port in rule["ports"]:
                                yield (role, other, port["port"])

    def numbered(role, port):
        if isinstance(port, int) or role not in pods:
            return port
        return {p["name"]: p["containerPort"] for p in container(pods[role])["ports"]}.get(port)

    out = {(a, b, port) for a, b, port in ways("egress", "to")}
    into = {(b, a, numbered(a, port)) for a, b, port in ways("ingress", "from")}
    for way in sorted(map(str, out ^ into)):
        yield f"allowed at one end only: {way}"
    for role in PORTS:
        if role != "membership" and (role, "membership", PORTS["membership"]) not in out:
            yield f"{role} does not reach membership, where the keys of tokens are"
        if role != "gateway" and ("gateway", role, PORTS[role]) not in out:
            yield f"the gateway does not reach {role}"
    callers = {caller for caller, callee, _ in out if callee == "gateway"}
    if callers != ({"payment"} if values["secrets"]["sandbox"]["name"] else set()):
        yield f"the gateway is called by {sorted(callers)}; only the sandbox provider, inside payment, may"


def hooks(documents, _values):
    """the migration stands on hooks alone, which come before it"""
    jobs = of_kind(documents, "Job")
    if [container(j)["args"] for j in jobs] != [["migrate"]]:
        yield "there is no migration"
        return
    (job,) = jobs
    annotations = job["metadata"].get("annotations", {})
    if annotations.get("helm.sh/hook") != "pre-install,pre-upgrade":
        yield f"the migration runs at {annotations.get('helm.sh/hook')}"
    if annotations.get("helm.sh/hook-delete-policy") != "before-hook-creation,hook-succeeded":
        yield "a finished migration is in the way of the next"
    if job["spec"]["template"]["spec"].get("volumes"):
        yield "the migration mounts what a first install has not created yet"
    before = [d for d in documents if is_hook(d) and d["kind"] != "Job"]
    for document in before:
        if int(document["metadata"]["annotations"]["helm.sh/hook-weight"]) >= int(annotations["helm.sh/hook-weight"]):
            yield f"{named(document)}: comes too late for the migration"
    accounts = {d["metadata"]["name"] for d in of_kind(before, "ServiceAccount")}
    if job["spec"]["template"]["spec"]["serviceAccountName"] not in accounts:
        yield "the migration's service account is no hook"


def audited(documents, _values):
    """the audit runs once at a time, is not repeated when it fails, and its failures stay to be read"""
    jobs = of_kind(documents, "CronJob")
    if [container(j)["args"] for j in jobs] != [["audit"]]:
        yield "there is no audit"
        return
    (job,) = jobs
    spec = job["spec"]
    if spec["concurrencyPolicy"] != "Forbid" or spec["jobTemplate"]["spec"]["backoffLimit"] != 0:
        yield f"{named(job)}: may run twice"
    if spec["failedJobsHistoryLimit"] < 1 or template(job)["spec"]["restartPolicy"] != "Never":
        yield f"{named(job)}: a failure is forgotten"


def labels(documents, _values):
    """objects carry the recommended labels, and names are unique and short enough"""
    wanted = {f"app.kubernetes.io/{key}" for key in ("name", "instance", "version", "managed-by", "part-of")}
    seen = set()
    for document in documents:
        missing = wanted - document["metadata"].get("labels", {}).keys()
        if missing:
            yield f"{named(document)}: lacks {sorted(missing)}"
        if named(document) in seen:
            yield f"{named(document)}: rendered twice"
        seen.add(named(document))
        if len(document["metadata"]["name"]) > 63:
            yield f"{named(document)}: name too long"


ALL = (roles, probes, limits, restricted, secrets, configuration, references, network, hooks, audited, labels)


def options(render):
    """Single switches do what they say. `render` takes the values to lay over the defaults."""

    def kinds(top):
        return {d["kind"] for d in render(top)}

    plain = kinds({})
    for kind, top in (
        ("Ingress", {"ingress": {"enabled": True, "hosts": [{"host": "a.example"}]}}),
        ("ServiceMonitor", {"serviceMonitor": {"enabled": True}}),
        ("PrometheusRule", {"prometheusRule": {"enabled": True}}),
        ("HorizontalPodAutoscaler", {"defaults": {"autoscaling": {"enabled": True}}}),
    ):
        if kind in plain or kind not in kinds(top):
            yield f"{kind} does not follow its switch"
    for kind, top in (
        ("NetworkPolicy", {"networkPolicy": {"enabled": False}}),
        ("PodDisruptionBudget", {"defaults": {"podDisruptionBudget": {"enabled": False}}}),
        ("Job", {"migration": {"enabled": False}}),
        ("CronJob", {"audit": {"enabled": False}}),
    ):
        if kind not in plain or kind in kinds(top):
            yield f"{kind} does not follow its switch"

    autoscaled = {"defaults": {"autoscaling": {"enabled": True}}, "services": {"analytics": {"autoscaling": {"enabled": False}}}}
    if len(of_kind(render(autoscaled), "HorizontalPodAutoscaler")) != len(PORTS) - 1:
        yield "a service can't switch off what the defaults switch on"
    if container(by_role(render({"services": {"payment": {"resources": {"limits": {"cpu": "3"}}}}}))["payment"])["resources"]["limits"] != {
        "cpu": "3",
        "memory": "512Mi",
    }:
        yield "a service's resources don't lie over the defaults"

    def checksums(top):
        return {d["spec"]["template"]["metadata"]["annotations"]["checksum/config"] for d in of_kind(render(top), "Deployment")}

    before, after = checksums({}), checksums({"settings": {"booking": {"policy": {"hold_minutes": 10}}}})
    if before & after or before != checksums({"defaults": {"replicas": 5}}):
        yield "pods must roll when, and only when, the configuration changes"
    policy = {"hold_minutes": 10, "ratio": 0.5, "name": 'a"\\b', "on": True, "tiers": [{"from": 1000, "names": ["x", "y"]}], "none": []}
    (config,) = of_kind(render({"settings": {"booking": {"policy": policy}}}), "ConfigMap")
    arrived = tomllib.loads(config["data"]["config.toml"])["booking"]["policy"]
    # As text, because 10 == 10.0 but a setting of whole seconds refuses the latter.
    if repr(sorted(arrived.items())) != repr(sorted(policy.items())):
        yield f"settings arrive changed: {arrived}"

    reader = {"audit": {"databaseSecret": {"name": "reader", "key": "url"}}}
    (audit,) = of_kind(render(reader), "CronJob")
    if {"name": "reader", "key": "url"} not in [e.get("valueFrom", {}).get("secretKeyRef") for e in container(audit)["env"]]:
        yield "the audit does not read by its own role"

    digest = "sha256:" + "0" * 64
    if not container(by_role(render({"image": {"digest": digest, "tag": "1"}}))["booking"])["image"].endswith("@" + digest):
        yield "the image's digest does not win over its tag"
    yield from (f"53 letters: {problem}" for problem in labels(render({}, name="r" * 53), {}))
    nobody = render({"networkPolicy": {"gatewayClients": [], "prometheus": [], "dns": []}})
    gateway = next(p for p in of_kind(nobody, "NetworkPolicy") if p["metadata"]["name"] == "meridian-gateway")
    if gateway["spec"]["ingress"]:
        yield "an empty list of peers lets somebody in"


def readme(values, text):
    """Every value stands in the README's table; a service's entries stand there once for all."""

    def leaves(path, value):
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                yield from leaves(f"{path}.{key}" if path else key, inner)
        else:
            yield path

    for path in leaves("", values):
        if path.startswith("services."):
            path = "services." + ("gateway" if path == "services.gateway" else "<name>." + path.split(".", 2)[2])
        if f"`{path}`" not in text:
            yield path
