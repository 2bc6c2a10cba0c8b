//! What the emulator does where the sources leave it open, and where it knowingly differs.
//!
//! `docs/fidelity.md` is made from this table, the error table and the action tables.

use super::error::Evidence;

/// A rule that acts somewhere, and how well it is known.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub rule: &'static str,
    pub evidence: Evidence,
    pub source: &'static str,
    /// The file that acts on it, below `src/`.
    pub place: &'static str,
    /// The test that shows it.
    pub test: &'static str,
}

/// A known difference from the real service.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    pub difference: &'static str,
    pub why: &'static str,
    /// The test that shows it; empty for what is absent, which no test can show.
    pub test: &'static str,
}

pub static RULES: &[Rule] = &[
    Rule {
        rule: "A batch is HTTP 200 with an entry an instance; if every instance fails with the same code, that code is the answer to the call and nothing changes",
        evidence: Evidence::Inferred,
        source: "decisions.md 1; ecs-instance-ram-role.md 5.4",
        place: "services/ecs/batch.rs",
        test: "failures_that_differ_in_code_are_entries_and_equal_ones_fail_the_call",
    },
    Rule {
        rule: "Detach from an instance without a role succeeds with an empty `InstanceRamRoleSet`",
        evidence: Evidence::Inferred,
        source: "decisions.md 2",
        place: "services/ecs/detach_instance_ram_role.rs",
        test: "d8_and_d9_an_instance_without_a_role_counts_as_done_and_so_does_a_repeat",
    },
    Rule {
        rule: "Detach of a role that is not the attached one fails for that instance with `InvalidRamRole.NotFound`; the role stays",
        evidence: Evidence::Inferred,
        source: "decisions.md 3",
        place: "services/ecs/detach_instance_ram_role.rs",
        test: "d7_a_role_that_is_not_the_attached_one_stays",
    },
    Rule {
        rule: "Detach of a role unknown to RAM is 404, unless a listed instance still carries it",
        evidence: Evidence::Inferred,
        source: "decisions.md 4",
        place: "services/ecs/detach_instance_ram_role.rs",
        test: "a_deleted_role_that_no_listed_instance_carries_is_not_found",
    },
    Rule {
        rule: "Detach without `RamRoleName` takes off whatever is there; the answer names the role if it was the same everywhere",
        evidence: Evidence::Inferred,
        source: "decisions.md 5",
        place: "services/ecs/detach_instance_ram_role.rs",
        test: "d1_without_a_name_each_instance_loses_whatever_it_has",
    },
    Rule {
        rule: "Attach over another role: 403 `InvalidInstanceRamRole.NotSupport`",
        evidence: Evidence::Inferred,
        source: "decisions.md 7",
        place: "services/ecs/attach_instance_ram_role.rs",
        test: "a8_another_role_on_the_instance_stays",
    },
    Rule {
        rule: "Attach of the role that is attached succeeds; a new `Policy` replaces the old one, none keeps it",
        evidence: Evidence::Inferred,
        source: "ecs-instance-ram-role.md 5.5",
        place: "services/ecs/attach_instance_ram_role.rs",
        test: "a9_the_same_role_again_succeeds_and_a_new_policy_replaces_the_old",
    },
    Rule {
        rule: "`Policy` of Attach is a JSON object of at most 1024 characters",
        evidence: Evidence::Inferred,
        source: "ecs-instance-ram-role.md 7, A11",
        place: "services/ecs/attach_instance_ram_role.rs",
        test: "a11_a_policy_is_a_json_object_of_at_most_1024_characters",
    },
    Rule {
        rule: "Describe by ids lists instances without a role with the empty name and leaves out classic and unknown ones",
        evidence: Evidence::Client,
        source: "decisions.md 8",
        place: "services/ecs/describe_instance_ram_role.rs",
        test: "s1_by_ids_an_instance_without_a_role_has_the_empty_name",
    },
    Rule {
        rule: "Describe by ids and an unknown role is an empty list; by the role alone 404",
        evidence: Evidence::Client,
        source: "decisions.md 9",
        place: "services/ecs/describe_instance_ram_role.rs",
        test: "s5_an_unknown_role_is_not_found_alone_and_an_empty_list_beside_ids",
    },
    Rule {
        rule: "Describe takes 100 ids",
        evidence: Evidence::Client,
        source: "decisions.md 10",
        place: "services/ecs/input.rs",
        test: "s3_malformed_ids_are_refused_and_100_pass",
    },
    Rule {
        rule: "What makes `InstanceIds` malformed",
        evidence: Evidence::Inferred,
        source: "decisions.md 11",
        place: "services/ecs/input.rs",
        test: "d3_malformed_instance_ids_are_refused_and_change_nothing",
    },
    Rule {
        rule: "A repeated id is handled once, counted once",
        evidence: Evidence::Inferred,
        source: "decisions.md 12",
        place: "api/params.rs",
        test: "d13_an_id_that_repeats_is_handled_and_counted_once",
    },
    Rule {
        rule: "A missing parameter of an ECS action: `MissingParameter`",
        evidence: Evidence::Recorded,
        source: "decisions.md 13",
        place: "api/params.rs",
        test: "d2_a_missing_parameter_is_named_in_order",
    },
    Rule {
        rule: "Single quotes around ids are taken for double ones",
        evidence: Evidence::Inferred,
        source: "ecs-instance-ram-role.md 5.3",
        place: "api/params.rs",
        test: "a_json_list_is_an_array_of_strings",
    },
    Rule {
        rule: "Role names are compared without case; the stored spelling is shown",
        evidence: Evidence::Inferred,
        source: "ram.md 2",
        place: "world/role.rs",
        test: "a1_the_role_is_on_the_instance_afterwards",
    },
    Rule {
        rule: "The order of checks",
        evidence: Evidence::Inferred,
        source: "protocol.md 12; decisions.md 21",
        place: "gateway/mod.rs",
        test: "of_any_two_mistakes_of_a_v1_call_the_earlier_check_answers",
    },
    Rule {
        rule: "ECS answers V1 calls with the older family of gateway codes",
        evidence: Evidence::Recorded,
        source: "decisions.md 22; protocol.md 11.1",
        place: "gateway/codes.rs",
        test: "every_other_row_of_the_ecs_table_has_its_text",
    },
    Rule {
        rule: "A signature is in time within 15 minutes of the world's clock or of the wall clock",
        evidence: Evidence::Inferred,
        source: "decisions.md 17, 23",
        place: "gateway/authenticate.rs",
        test: "a_signature_lives_900_seconds_either_way_of_the_world_s_clock",
    },
    Rule {
        rule: "Times with fractions are refused",
        evidence: Evidence::Inferred,
        source: "protocol.md 3.1",
        place: "world/clock.rs",
        test: "only_the_exact_form_of_a_time_is_read",
    },
    Rule {
        rule: "A nonce is remembered with its key id, for 30 minutes of wall time",
        evidence: Evidence::Inferred,
        source: "decisions.md 17",
        place: "world/nonce.rs",
        test: "a_nonce_is_refused_until_it_is_too_old",
    },
    Rule {
        rule: "An ACS3 signature has to cover `x-acs-action`, `x-acs-version` and `x-acs-date` where they are sent, and `x-acs-content-sha256`; not `host`, which the Java v1 SDK leaves out",
        evidence: Evidence::Client,
        source: "protocol.md 5.2",
        place: "gateway/authenticate.rs",
        test: "acs3_signs_action_version_date_and_hash_but_may_leave_out_the_host",
    },
    Rule {
        rule: "HMAC-SHA256 is a signature method of V1",
        evidence: Evidence::Inferred,
        source: "protocol.md 4.6",
        place: "gateway/signature/rpc_v1.rs",
        test: "hmac_sha256_is_taken_for_v1_too",
    },
    Rule {
        rule: "RSA signatures, bearer tokens, ACS4 and the REST style are recognised and refused",
        evidence: Evidence::Inferred,
        source: "protocol.md 2, 4.6, 6, 7.2",
        place: "gateway/authenticate.rs",
        test: "bearer_tokens_acs4_and_roa_are_recognised_and_refused",
    },
    Rule {
        rule: "With a wrong `SignatureVersion`: `InvalidParameter`",
        evidence: Evidence::Inferred,
        source: "protocol.md 12, step 7",
        place: "gateway/authenticate.rs",
        test: "each_mistake_of_a_v1_call_alone_gets_its_code",
    },
    Rule {
        rule: "A token sent with a permanent key is ignored",
        evidence: Evidence::Inferred,
        source: "decisions.md 29",
        place: "gateway/authenticate.rs",
        test: "a_token_expires_by_the_world_s_clock_and_one_beside_a_permanent_key_is_ignored",
    },
    Rule {
        rule: "Wrong tokens: one of another key is a mismatch, any other malformed",
        evidence: Evidence::Inferred,
        source: "protocol.md 11.1, 11.2",
        place: "gateway/authenticate.rs",
        test: "every_other_row_of_the_ecs_table_has_its_text",
    },
    Rule {
        rule: "The product is told by `Version`; without one, as for Ecs",
        evidence: Evidence::Inferred,
        source: "decisions.md 26",
        place: "gateway/registry.rs",
        test: "a_json_error_has_its_members_in_order_and_the_called_product",
    },
    Rule {
        rule: "Action names are taken in any case",
        evidence: Evidence::Client,
        source: "decisions.md 27",
        place: "api/action.rs",
        test: "an_action_s_name_may_be_written_in_any_case_and_the_answer_has_the_vendor_s",
    },
    Rule {
        rule: "An action that the vendor has and ecsim does not: 400 `UnsupportedOperation.NotEmulated`",
        evidence: Evidence::Inferred,
        source: "decisions.md 18",
        place: "gateway/registry.rs",
        test: "coverage_lists_what_is_emulated_and_what_is_not",
    },
    Rule {
        rule: "ACS3 calls are answered in JSON unless `Accept` wants only XML; `Format` wins",
        evidence: Evidence::Inferred,
        source: "protocol.md 8",
        place: "gateway/request.rs",
        test: "the_wanted_format_of_an_acs3_call_follows_accept_unless_a_parameter_says_else",
    },
    Rule {
        rule: "The body's value of a parameter wins over the query's; within one, the last",
        evidence: Evidence::Inferred,
        source: "protocol.md 1.1",
        place: "api/params.rs",
        test: "of_a_repeated_name_the_body_s_last_value_is_signed_and_used",
    },
    Rule {
        rule: "Members of a JSON body are parameters; what is not text becomes its JSON text",
        evidence: Evidence::Inferred,
        source: "protocol.md 1.2",
        place: "api/params.rs",
        test: "a_json_body_s_members_are_parameters",
    },
    Rule {
        rule: "What the gateway's own limits answer",
        evidence: Evidence::Inferred,
        source: "decisions.md 24",
        place: "http/limits.rs",
        test: "headers_that_are_too_large_are_refused_in_the_envelope",
    },
    Rule {
        rule: "The members of an instance that the emulator does not keep are empty or zero",
        evidence: Evidence::Inferred,
        source: "ecs-supporting.md 4",
        place: "services/ecs/describe_instances.rs",
        test: "an_instance_in_a_vpc_and_a_classic_one_have_their_shapes",
    },
    Rule {
        rule: "`DescribeEndpoints` answers with the address that the client called, for every product",
        evidence: Evidence::Client,
        source: "clients.md 9",
        place: "services/location/describe_endpoints.rs",
        test: "describe_endpoints_answers_with_the_called_address",
    },
    Rule {
        rule: "Local names, zones and most id parts of regions",
        evidence: Evidence::Inferred,
        source: "ecs-supporting.md 11, 12",
        place: "world/region.rs",
        test: "zones_follow_the_two_forms_of_zone_ids",
    },
];

pub static DIFFERENCES: &[Difference] = &[
    Difference {
        difference: "What the HTTP library cannot parse at all (a bad request line, a head beyond four times `--max-header-size`, more than 100 headers, a target beyond 65,534 bytes, a Content-Length near 2^64) gets its bare 400, 414 or 431 with an empty body",
        why: "the request is not known by then (decisions.md 24)",
        test: "what_is_no_http_gets_the_library_s_bare_400_and_the_connection_closes",
    },
    Difference {
        difference: "No `Connection` and `Keep-Alive` headers in answers",
        why: "HTTP/1.1 connections are kept without them; idle ones are closed after `--header-timeout`",
        test: "",
    },
    Difference {
        difference: "No policies: every active key acts as its account's owner",
        why: "RAM is not emulated yet",
        test: "with_auth_off_a_key_of_16_digits_is_the_account_and_any_other_the_default_owner",
    },
    Difference { difference: "No throttling", why: "not emulated", test: "" },
    Difference { difference: "Japanese local names are shown in English", why: "no source has them", test: "" },
    Difference {
        difference: "Instances do not change state",
        why: "the actions that would do it are not emulated",
        test: "",
    },
];
