"""The engine statsig-python-core, with a Rust core, called below its error boundary, offline."""

from statsig_python_core import (
    DataStore,
    DataStoreResponse,
    FeatureGateEvaluationOptions,
    Statsig,
    StatsigBasePy,
    StatsigOptions,
    StatsigUser,
)
from workload import ENVIRONMENT, PERCENT, compact

# An arbitrary time. The engine ignores a document that is not newer than its current one.
TIME = 1_767_225_600_000

QUIET = FeatureGateEvaluationOptions(disable_exposure_logging=True)


def document(workload):
    conditions, gates = {}, {}
    for flag in workload.flags:
        names = []
        for field, values in [("plan", flag.plans), ("tenantSlug", flag.slugs)]:
            if values:
                names.append(f"{flag.key}:{field}")
                conditions[names[-1]] = {
                    "type": "user_field",
                    "targetValue": values,
                    "operator": "any",
                    "field": field,
                    "additionalValues": {},
                    "idType": "userID",
                }
        rule = {
            "name": flag.key,
            "groupName": flag.key,
            "id": flag.key,
            "salt": flag.key,
            "idType": "userID",
            "passPercentage": PERCENT if flag.state == "rollout" else 100,
            "conditions": names,
            "returnValue": True,
        }
        gates[flag.key] = {
            "type": "feature_gate",
            "entity": "feature_gate",
            "salt": flag.key,
            "idType": "userID",
            "enabled": True,
            "defaultValue": False,
            "rules": [] if flag.state == "off" else [rule],
        }
    nothing = dict.fromkeys(["dynamic_configs", "layer_configs", "experiment_to_layer"], {})
    return compact(
        {
            **nothing,
            "has_updates": True,
            "time": TIME,
            "default_environment": ENVIRONMENT,
            "condition_map": conditions,
            "feature_gates": gates,
        }
    )


class Memory(DataStore):
    text = ""

    def get(self, key):
        return DataStoreResponse(result=self.text, time=TIME)

    def support_polling_updates_for(self, key):
        return False


def load(document):
    memory = Memory()
    memory.text = document
    options = StatsigOptions(
        data_store=memory,
        disable_network=True,
        disable_all_logging=True,
        disable_country_lookup=True,
        disable_disk_access=True,
        enable_id_lists=False,
        output_log_level="none",
    )
    statsig = Statsig("secret-none", options)
    statsig.initialize().wait()
    return statsig


def subject(tenant):
    return StatsigUser(user_id=tenant.id, custom={"plan": tenant.plan, "tenantSlug": tenant.slug})


def one(statsig):
    ask = StatsigBasePy.check_gate
    return lambda key, subject: ask(statsig, subject, key, QUIET)


def walk(statsig, pairs):
    ask = StatsigBasePy.check_gate

    def run():
        for key, subject in pairs:
            ask(statsig, subject, key, QUIET)

    return run


def every(statsig, keys):
    ask = StatsigBasePy.check_gate
    return lambda subject: {key: ask(statsig, subject, key, QUIET) for key in keys}


def close(statsig):
    statsig.shutdown().wait()
