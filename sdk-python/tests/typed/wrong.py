"""A sample in which mypy --strict refuses exactly the marked lines."""

from typing import Literal

from dezky import Client, Flags, Ruleset, Subject, World, can, connect, rollout_position, validate

FlagKey = Literal["jmap_native_v2", "old_editor"]


def typed(rules: Ruleset[FlagKey], flags: Flags[FlagKey], subject: Subject) -> None:
    rules.is_enabled("old_edit0r", subject)  # refused
    rules.for_tenant(subject).is_enabled("old_edit0r")  # refused
    flags.is_enabled("old_edit0r")  # refused
    flags.explain("old_edit0r")  # refused
    flags["old_edit0r"]  # refused
    flags.all()["old_edit0r"]  # refused


def untyped(rules: Ruleset, world: World, subject: Subject) -> None:
    rules.for_tenant(subject).is_enabled(42)  # refused
    rules.for_tenant(subject).is_enabled(b"old_editor")  # refused
    rules.for_tenant(subject)["old_editor"] = True  # refused
    rules.for_tenant(42)  # refused
    rules.fingerprint({subject})  # refused
    rules.revision = 7  # refused
    subject.plan = "free"  # refused
    world.ladder(None)  # refused
    Ruleset.from_snapshot(None)  # refused
    Subject("t1", "acme", 7)  # refused
    Subject("t1", "acme", "business", "nordic")  # refused
    can({}, 7)  # refused
    rollout_position("t1", 7)  # refused
    validate.tenant({})["ok"]  # refused


def live(client: Client[FlagKey], subject: Subject) -> None:
    client.is_enabled("old_edit0r", subject)  # refused
    client.for_tenant(subject)["old_edit0r"]  # refused
    client.on("closed", print)  # refused
    client.on("change", 7)  # refused
    client.ruleset = None  # refused
    connect("https://flags.example")  # refused
    connect("https://flags.example", "dzk_example")  # refused
    connect("https://flags.example", key="dzk_example", past_deadline="explode")  # refused
