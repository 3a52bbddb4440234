"""deploy/kubernetes: built by kustomize, held against the schemas of Kubernetes, against the policies, and against itself."""
import base64
import re

import pytest
import yaml

from harness.deployment import DEPLOY, check_policy, port, read, secrets, tool
from harness.manifests import REDIS_URL, Objects, build, containers, environment, sidecar, tree, volume

SERVICES = {"mt5-api": "mt5", "account": "account", "notification": "notification"}
OVERLAYS = ("reference", "reference-external-redis")
CUSTOM = {"ServiceMonitor", "PrometheusRule"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tree(tmp_path_factory.mktemp("kubernetes"))


@pytest.fixture(scope="module")
def texts(folder):
    return {name: build(folder / name) for name in (*OVERLAYS, *SERVICES.values(), "issuer", "redis")}


@pytest.fixture(scope="module")
def reference(texts):
    return Objects(texts["reference"])


@pytest.fixture(params=sorted(SERVICES))
def name(request):
    """A service's Deployment."""
    return request.param


@pytest.fixture
def pod(reference, name):
    return reference.of("Deployment")[name]["spec"]["template"]


@pytest.fixture
def policy(reference, name):
    """The policy that its ConfigMap has."""
    return yaml.safe_load(reference.of("ConfigMap")[name + "-postern"]["data"]["proxy.yaml"])


@pytest.mark.parametrize("version", ["1.30", "1.37"])
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_has_the_form_that_kubernetes_wants(texts, tmp_path, overlay, version):
    file = tmp_path / "objects.yaml"
    file.write_text(texts[overlay])
    done = tool("kubernetes-validate", "-k", version, "--strict", file)
    said = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 0, "\n".join(line for line in said if not line.startswith("INFO"))
    native = [each for each in Objects(texts[overlay]).all if each["kind"] not in CUSTOM]
    assert len([line for line in said if " passed for resource " in line]) == len(native)


def test_a_wrong_object_would_be_noticed(texts, tmp_path):
    file = tmp_path / "objects.yaml"
    file.write_text(texts["mt5"].replace("terminationGracePeriodSeconds", "terminationGracePeriod"))
    assert tool("kubernetes-validate", "--strict", file).returncode != 0


def test_what_is_copied_is_up_to_date(folder, tmp_path):
    """deploy/kubernetes/copy.sh, run after the last change of what it copies, and committed."""
    fresh = tree(tmp_path)
    done = tool(DEPLOY / "kubernetes" / "copy.sh", fresh)
    assert done.returncode == 0, done.stderr
    for path in ("mt5/proxy.yaml", "account/proxy.yaml", "notification/proxy.yaml", "issuer/issuer.sh",
                 "components/monitoring/rules.yaml"):
        assert (fresh / path).read_text() == (folder / path).read_text(), "run deploy/kubernetes/copy.sh: " + path


def test_the_operators_rules_are_those_of_prometheus(reference):
    assert reference.of("PrometheusRule")["postern"]["spec"]["groups"] == read("prometheus/postern.rules.yaml")["groups"]


def test_every_pod_keeps_the_restricted_standard(reference):
    namespace = reference.of("Namespace")["trading"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for key, pod in reference.pods().items():
        assert pod["spec"]["automountServiceAccountToken"] is False, key
        for each in containers(pod):
            security = each["securityContext"]
            assert security["runAsNonRoot"] and security["runAsUser"] > 0, (key, each["name"])
            assert security["allowPrivilegeEscalation"] is False and security["readOnlyRootFilesystem"], (key, each["name"])
            assert security["capabilities"] == {"drop": ["ALL"]}, (key, each["name"])
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}, (key, each["name"])
            assert {"cpu", "memory"} <= set(each["resources"]["requests"]) and each["resources"]["limits"]["memory"]
            assert re.search(r":\d+\.\d+\.\d+", each["image"]), each["image"]


def test_postern_is_a_native_sidecar_with_probes_on_the_status_listener(pod, policy):
    postern = sidecar(pod)
    assert postern["restartPolicy"] == "Always"
    ports = {each["name"]: each["containerPort"] for each in postern["ports"]}
    assert ports == {"postern": port(policy["listen"]), "status": port(policy["admin"]["status"])}
    for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        assert postern[probe]["httpGet"] == {"path": path, "port": "status"}, probe
    assert policy["admin"]["address"].startswith("127.0.0.1:") and policy["admin"]["status"].startswith("0.0.0.0:")


def test_the_policy_is_good(reference, name, tmp_path):
    file = tmp_path / "proxy.yaml"
    file.write_text(reference.of("ConfigMap")[name + "-postern"]["data"]["proxy.yaml"])
    check_policy(file, secrets(tmp_path / "secrets"))


def test_the_policy_is_mounted_as_a_folder_and_changed_in_place(reference, pod, name):
    """A ConfigMap with a hash in its name, or a file that is mounted by itself, would never change under Postern."""
    postern = sidecar(pod)
    path, _, file = environment(postern)["POSTERN_CONFIG"].rpartition("/")
    mounted = volume(pod, postern, path)
    assert mounted["configMap"] == {"name": name + "-postern"}
    assert file in reference.of("ConfigMap")[mounted["configMap"]["name"]]["data"]
    assert not any("subPath" in each for each in postern["volumeMounts"])


def test_secrets_are_files_that_exist(reference, pod, policy):
    postern = sidecar(pod)
    mounted = volume(pod, postern, environment(postern)["POSTERN_SECRETS"])
    keys = set(reference.of("Secret")[mounted["secret"]["secretName"]]["data"])
    named = [policy["redis"]["password"]["file"], policy["redis"]["seal"]["file"]]
    assert {each.rpartition("/")[2] for each in named} == keys
    assert all(each.startswith("${POSTERN_SECRETS:-") for each in named)


def test_the_service_is_reachable_through_its_sidecar_alone(reference, pod, policy, name):
    service = pod["spec"]["containers"][0]
    options = dict(zip(service["args"][1::2], service["args"][2::2]))
    assert options["--host"] == "127.0.0.1" and policy["upstream"] == "http://127.0.0.1:" + options["--port"]
    assert "ports" not in service
    policies = [each for each in reference.of("NetworkPolicy").values()
                if name in reference.selected(each["spec"]["podSelector"]["matchLabels"])]
    assert len(policies) == 1 and policies[0]["spec"]["policyTypes"] == ["Ingress"]
    opened = {each["port"]: rule.get("from") for rule in policies[0]["spec"]["ingress"] for each in rule["ports"]}
    assert set(opened) == {port(policy["listen"]), port(policy["admin"]["status"])}
    assert opened[port(policy["listen"])] is None and opened[port(policy["admin"]["status"])]
    assert all(rule.get("ports") for rule in policies[0]["spec"]["ingress"]), "a rule without ports opens all of them"


def test_a_pod_ends_in_order(pod, policy):
    """components/sidecar and README.md: the drain begins after the first sleep and is over before the service ends."""
    begins = int(re.fullmatch(r"sleep (\d+); kill -TERM 1", sidecar(pod)["lifecycle"]["preStop"]["exec"]["command"][2])[1])
    drain = int(policy.get("timeouts", {}).get("drain", "25s").rstrip("s"))
    sleeps = pod["spec"]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert begins + drain < sleeps
    assert sleeps + 10 <= pod["spec"]["terminationGracePeriodSeconds"]


def test_whatever_selects_finds_its_pods(reference, name):
    for kind, labels in (("Service", ["spec", "selector"]), ("PodDisruptionBudget", ["spec", "selector", "matchLabels"]),
                         ("NetworkPolicy", ["spec", "podSelector", "matchLabels"])):
        value = reference.of(kind)[name]
        for key in labels:
            value = value[key]
        assert reference.selected(value) == [name], kind
    scaler = reference.of("HorizontalPodAutoscaler")[name]["spec"]
    assert (scaler["scaleTargetRef"]["kind"], scaler["scaleTargetRef"]["name"]) == ("Deployment", name)
    assert scaler["minReplicas"] >= 2 and "replicas" not in reference.of("Deployment")[name]["spec"]


def test_a_service_leads_to_ports_that_its_pods_have(reference):
    for service, each in reference.of("Service").items():
        for found in reference.selected(each["spec"]["selector"]):
            pod = next(template for (_, other), template in reference.pods().items() if other == found)
            names = {one.get("name") for container in containers(pod) for one in container.get("ports", [])}
            assert {one["targetPort"] for one in each["spec"]["ports"]} <= names, service


def test_names_in_policies_are_services(reference, policy):
    """The defaults of the variables: where nothing else is said, these have to be there."""
    services = reference.of("Service")
    for text in (policy["issuers"]["permiso"]["issuer"], policy["redis"]["url"]):
        host, number = re.search(r":-\w+://([a-z]+):(\d+)", text).groups()
        assert int(number) in [each["port"] for each in services[host]["spec"]["ports"]], text


def test_everything_is_scraped_as_the_rules_expect(reference):
    scraped = {}
    for monitor in reference.of("ServiceMonitor").values():
        wanted = monitor["spec"]["selector"]["matchLabels"]
        for service, each in reference.of("Service").items():
            labels = each["metadata"].get("labels", {})
            if wanted.items() <= labels.items():
                ports = {one["name"] for one in each["spec"]["ports"]}
                assert {end["port"] for end in monitor["spec"]["endpoints"]} <= ports, service
                scraped[service] = labels[monitor["spec"]["jobLabel"]]
    static = {config["job_name"]: {target["labels"]["service"] for target in config["static_configs"]}
              for config in read("prometheus/prometheus.yaml")["scrape_configs"]}
    assert scraped == {service: job for job, services in static.items() for service in services}


def test_only_sidecars_and_the_issuer_reach_redis(reference):
    rules = reference.of("NetworkPolicy")["redis"]["spec"]["ingress"]
    allowed = {found for rule in rules for each in rule["from"] for found in reference.selected(each["podSelector"]["matchLabels"])}
    assert allowed == {*SERVICES, "issuer"}


def test_the_issuer_names_itself_as_the_policies_do(reference, policy):
    pod = reference.of("StatefulSet")["issuer"]["spec"]["template"]
    for container in containers(pod):
        values = environment(container)
        assert "${ISSUER_URL:-%s}" % values["POSTERN_ISSUER_ISSUER"] == policy["issuers"]["permiso"]["issuer"]
        assert set(policy["issuers"]["permiso"]["audiences"]) <= set(values["POSTERN_ISSUER_AUDIENCE"].split())
        assert "${POSTERN_REDIS_URL:-%s}" % values["POSTERN_ISSUER_REDIS"] == policy["redis"]["url"]
        sources = volume(pod, container, values["SECRETS"])["projected"]["sources"]
        keys = {key for each in sources for key in reference.of("Secret")[each["secret"]["name"]]["data"]}
        assert {"issuer_key", "redis_password"} <= keys


def test_an_external_redis(texts):
    objects = Objects(texts["reference-external-redis"])
    assert not objects.of("StatefulSet")
    secret = objects.of("Secret")["postern-redis"]
    assert base64.b64decode(secret["data"]["url"]).decode() == REDIS_URL
    for name in SERVICES:
        variables = sidecar(objects.of("Deployment")[name]["spec"]["template"])["env"]
        assert {"name": "POSTERN_REDIS_URL", "valueFrom": {"secretKeyRef": {"name": "postern-redis", "key": "url"}}} in variables
        assert len(variables) == 3


def test_a_base_stands_alone(texts):
    for name, folder in SERVICES.items():
        assert set(Objects(texts[folder]).of("Deployment")) == {name}


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: billing-api-v2, labels: {team: billing}}
spec:
  selector: {matchLabels: {app: billing}}
  template:
    metadata: {labels: {app: billing}}
    spec:
      initContainers: [{name: migrate, image: "billing:2.0.0", args: [migrate]}]
      containers: [{name: app, image: "billing:2.0.0", volumeMounts: [{name: cache, mountPath: /cache}]}]
      volumes: [{name: cache, emptyDir: {}}]
"""


def test_the_sidecar_goes_beside_any_deployment(folder):
    """As README.md says: what was there stays; the names that the component brings are the Deployment's."""
    own = folder / "billing"
    own.mkdir()
    section = (DEPLOY / "kubernetes" / "README.md").read_text().partition("## Your own Deployment")[2]
    (own / "kustomization.yaml").write_text(re.search(r"```yaml\n(.*?)```", section, re.S)[1].replace("orders", "billing-api-v2"))
    (own / "deployment.yaml").write_text(DEPLOYMENT)
    (own / "proxy.yaml").write_text((folder / "mt5" / "proxy.yaml").read_text())
    objects = Objects(build(own))
    pod = objects.of("Deployment")["billing-api-v2"]["spec"]["template"]
    assert {each["name"] for each in containers(pod)} == {"postern", "migrate", "app"}
    assert {each["name"] for each in pod["spec"]["volumes"]} == {"cache", "postern-policy", "postern-secrets"}
    assert volume(pod, sidecar(pod), "/etc/postern")["configMap"]["name"] == "billing-api-v2-postern"
    assert "billing-api-v2-postern" in objects.of("ConfigMap")
    assert pod["metadata"]["labels"]["app"] == "billing"
    assert objects.selected(objects.of("NetworkPolicy")["billing-api-v2"]["spec"]["podSelector"]["matchLabels"]) == ["billing-api-v2"]
