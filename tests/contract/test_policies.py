"""Policies and the schemas' own words: what AWS refuses beyond fields and types."""

import json

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.contract.aws import AWS
from tests.contract.cfn_schema import Validator
from tests.contract.cloudformation import REGION, schema_faults
from tests.contract.policies import policy_faults


def policy(**statement):
    """A policy of one statement."""
    full = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **statement}
    kept = {key: value for key, value in full.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [kept]})


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:Get*", "*", ["s3:PutObject"]])
def test_a_policy_as_aws_documents_it_is_accepted(action):
    assert policy_faults("policy_identity", policy(Action=action)) == []


@pytest.mark.parametrize(
    ("kind", "statement", "said"),
    [
        pytest.param("policy_identity", {"Effect": "Perhaps"}, "not one of", id="effect"),
        pytest.param("policy_identity", {"Acton": "s3:*"}, "Acton", id="unknown-element"),
        pytest.param("policy_identity", {"NotAction": "s3:*"}, "exactly one of", id="both"),
        pytest.param("policy_identity", {"Resource": None}, "exactly one of", id="no-resource"),
        pytest.param("policy_identity", {"Condition": {"Boool": {}}}, "Boool", id="condition"),
        pytest.param("policy_identity", {"Action": "s3:GetObjekt"}, "GetObjekt", id="action"),
        pytest.param("policy_identity", {"Action": ["s4:GetObject"]}, "s4:", id="service"),
        pytest.param("policy_identity", {"Action": "GetObject"}, "GetObject", id="no-service"),
        pytest.param("policy_resource", {}, "exactly one of", id="resource-without-principal"),
        pytest.param("policy_trust", {"Principal": "*"}, "Resource", id="trust-with-resource"),
    ],
)
def test_what_aws_would_refuse_in_a_policy_is_refused(kind, statement, said):
    assert said in " ".join(policy_faults(kind, policy(**statement)))


@pytest.mark.parametrize(
    ("resource_type", "properties", "said"),
    [
        pytest.param("AWS::EC2::Subnet", {"VpcId": "v"}, "is missing in", id="required-or"),
        pytest.param("AWS::EC2::VPC", {}, "exactly one of", id="required-xor"),
        pytest.param(
            "AWS::EC2::Subnet",
            {
                "VpcId": "v",
                "CidrBlock": "10.0.0.0/24",
                "AvailabilityZone": "eu-west-1a",
                "AvailabilityZoneId": "euw1-az1",
            },
            "exclude each other",
            id="dependent-excluded",
        ),
        pytest.param(
            "AWS::EC2::VPC", {"Ipv4IpamPoolId": "pool"}, "dependency", id="dependent-required"
        ),
        pytest.param(
            "AWS::EKS::Cluster",
            {
                "RoleArn": "r",
                "ResourcesVpcConfig": {"SubnetIds": ["s"]},
                "EncryptionConfig": [{}, {}],
            },
            "too long",
            id="beside-a-reference",
        ),
    ],
)
def test_the_schemas_own_words_are_obeyed(resource_type, properties, said):
    assert said in " ".join(schema_faults(resource_type, properties))


ABOUT = {
    *("$id", "$schema", "$comment", "description", "title", "default", "examples", "format"),
    *("additionalIdentifiers", "createOnlyProperties", "conditionalCreateOnlyProperties"),
    *("definitions", "deprecatedProperties", "documentationUrl", "handlers", "insertionOrder"),
    *("nonPublicProperties", "primaryIdentifier", "propertyTransform", "readOnlyProperties"),
    *("relationshipRef", "replacementStrategy", "resourceLink", "sourceUrl", "taggable"),
    *("tagging", "typeName", "writeOnlyProperties", "arrayType", "cfnLint", "$ref"),
}
"""Words of a schema that say something about it and demand nothing of an input.

``format`` names the type whose identifier a value is, which under mocks it cannot be.
"""


@pytest.mark.parametrize("resource_type", sorted({model.type for model in AWS.values()}))
def test_no_word_of_a_schema_is_skipped_in_silence(resource_type):
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource_type).schema

    assert words(schema) - Validator.VALIDATORS.keys() - ABOUT == set()


NAMES = ("properties", "patternProperties", "definitions")
"""Words whose value is a map from names to schemas."""

NO_SCHEMA = {
    *("dependentRequired", "dependentExcluded", "enum", "default", "handlers", "tagging"),
    *("propertyTransform", "relationshipRef", "resourceLink"),
}
"""Words whose value has no schema in it."""


def words(schema):
    """Every keyword of a schema, at any depth; names of properties are no keywords."""
    found = set()
    if isinstance(schema, dict):
        for word, value in schema.items():
            found.add(word)
            if word in NO_SCHEMA:
                continue
            if word in NAMES:
                inner = value.values()
            else:
                inner = value if isinstance(value, list) else [value]
            for item in inner:
                found |= words(item)
    return found
