"""An OpenAPI document, and what an answer has to be by it. Independent of the issuer: jsonschema decides."""
from __future__ import annotations

import jsonschema

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Description:
    """A document of OpenAPI 3.1; its schemas are JSON Schema 2020-12."""

    def __init__(self, document):
        self.document = document

    def operations(self):
        """(METHOD, path template, operation) of each."""
        return [(method.upper(), path, item[method]) for path, item in self.document["paths"].items() for method in METHODS
                if method in item]

    def fits(self, value, schema):
        """The faults of a value, a line each."""
        whole = dict(self.document, **{"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema]})
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        return ["%s: %s" % (error.json_path, error.message)
                for error in jsonschema.Draft202012Validator(whole, format_checker=checker).iter_errors(value)]

    def faults(self, operation, answer):
        """Where an answer is none that the operation declares, a line each."""
        declared = operation["responses"].get(str(answer.status))
        if declared is None:
            return ["status %d is not declared" % answer.status]
        found = []
        for name, header in declared.get("headers", {}).items():
            value = answer.header(name)
            if value is None:
                found += ["there is no " + name] if header.get("required") else []
            else:
                found += ["%s %s" % (name, each) for each in self.fits(value, header["schema"])]
        content = declared.get("content")
        if content is None:
            return found + (["a body that is not declared"] if answer.body else [])
        kind = answer.header("content-type")
        return found + (self.fits(answer.json(), content[kind]["schema"]) if kind in content else ["content type %s" % kind])
