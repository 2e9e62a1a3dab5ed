"""Validates every example with a public validator of JSON Schema, and sees that it refuses plain mistakes."""
import json
import pathlib
import sys

import jsonschema
import yaml

root = pathlib.Path(sys.argv[1])


class Loader(yaml.SafeLoader):
    """Types as the language has them: only true and false are booleans, dates are text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:null")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for first in "tf":
    import re
    Loader.yaml_implicit_resolvers.setdefault(first, []).append(("tag:yaml.org,2002:bool", re.compile("^(true|false)$")))

schema = json.loads((root / "schema/mailreeve.schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
count = 0
for example in sorted((root / "examples").iterdir()):
    if not (example / "mailreeve.yaml").exists():
        continue
    for path in sorted(example.rglob("*.y*ml")):
        for error in validator.iter_errors(yaml.load(path.read_text(), Loader)):
            sys.exit(f"{path}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
        count += 1
assert count >= 5, "no examples"

mistakes = [
    "domains: {localhost: {}}",
    "domains: {example.org: {users: {a@b: {}}}}",
    "transports: {example.net: smtp}",
    "domain: {}",
    "domains: {example.org: {users: {a: {qouta: 5G}}}}",
    "domains: {example.org: {users: {a: {state: gone}}}}",
    "domains: {example.org: {users: {a: {forward: {keep: yes}}}}}",
    "domains: {example.org: {aliases: {a: b}}}",
    "domains: {example.org: {kind: backup_mx}}",
    "domains: {example.org: {users: {a: {state: {secret: x}}}}}",
    "domains: {example.org: {users: {a: {aliases: [{secret: x}]}}}}",
    "domains: {example.org: {users: {a: {on_removal: {archive: true}}}}}",
    "domains: {example.org: {users: {a: {on_removal: {purge_after: 90d}}}}}",
    "postfix: {services: {}}",
    "policy: {max_change: {users: 5}}",
    "mailreeve: 2",
    "hosts: {mx.example.org: {policy: {}}}",
]
for mistake in mistakes:
    assert not validator.is_valid(yaml.load(mistake, Loader)), mistake
