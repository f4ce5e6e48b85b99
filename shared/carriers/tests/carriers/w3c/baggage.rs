use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;

use super::carriers::CARRIERS;

/// Key, value and properties.
type Member = (&'static str, &'static str, &'static str);
type Case = (&'static str, Vec<&'static str>, Vec<Member>);

/// What the cases about escapes say.
const UNQUOTED: &str = "\t \"';=asdf!@#$%^&*()";

pub(crate) fn owned((key, value, properties): Member) -> (String, String, String) {
    (key.to_owned(), value.to_owned(), properties.to_owned())
}

pub(crate) fn members(context: &Context) -> Vec<(String, String, String)> {
    let baggage = context.baggage().iter();
    let mut members: Vec<_> = baggage
        .map(|(key, (value, properties))| {
            let (key, properties) = (key.to_string(), properties.to_string());
            (key, value.to_string(), properties)
        })
        .collect();
    members.sort();
    members
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let plain = ("SomeKey", "SomeValue", "");
    let second = ("SomeKey2", "SomeValue2", "");
    let percent = ("SomeKey", UNQUOTED, "");
    vec![
        ("test_ctor_default", vec![], vec![]),
        ("test_parse_simple", vec!["SomeKey=SomeValue"], vec![plain]),
        ("test_parse_multiple", vec!["SomeKey=SomeValue;SomeProp,SomeKey2=SomeValue2;ValueProp=PropVal"],
            vec![("SomeKey", "SomeValue", "SomeProp"), ("SomeKey2", "SomeValue2", "ValueProp=PropVal")]),
        ("test_parse_multiple_ows", vec!["SomeKey \t = \t SomeValue \t , \t SomeKey2 \t = \t SomeValue2 \t "],
            vec![plain, second]),
        ("test_parse_multiple_ows", vec!["SomeKey \t = \t SomeValue \t ; \t SomeProp \t , \t SomeKey2 \t = \t SomeValue2 \t ; \t ValueProp \t = \t PropVal"],
            vec![("SomeKey", "SomeValue", "SomeProp"), ("SomeKey2", "SomeValue2", "ValueProp=PropVal")]),
        ("test_parse_multiple_kv_property", vec!["SomeKey=SomeValue;SomePropKey=SomePropValue,SomeKey2=SomeValue2;SomePropKey2=SomePropValue2"],
            vec![("SomeKey", "SomeValue", "SomePropKey=SomePropValue"), ("SomeKey2", "SomeValue2", "SomePropKey2=SomePropValue2")]),
        ("test_parse_multiple_kv_property_ows", vec!["SomeKey \t = \t SomeValue \t ; \t SomePropKey=SomePropValue \t , \t SomeKey2 \t = \t SomeValue2 \t ; \t SomePropKey2 \t = \t SomePropValue2"],
            vec![("SomeKey", "SomeValue", "SomePropKey=SomePropValue"), ("SomeKey2", "SomeValue2", "SomePropKey2=SomePropValue2")]),
        ("test_parse_multiple_equals", vec!["SomeKey=SomeValue=equals"], vec![("SomeKey", "SomeValue=equals", "")]),
        ("test_parse_percent_encoded", vec!["SomeKey=%09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29"], vec![percent]),
        ("test_parse_percent_encoded_ows", vec!["SomeKey \t = \t %09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29 \t "], vec![percent]),
        ("test_parse_property", vec!["SomeKey=SomeValue;SomeProp"], vec![("SomeKey", "SomeValue", "SomeProp")]),
        ("test_parse_multi_property", vec!["SomeKey=SomeValue;SomeProp;SecondProp=PropValue"],
            vec![("SomeKey", "SomeValue", "SomeProp;SecondProp=PropValue")]),
        ("test_parse_multiple_properties_same_name", vec!["SomeKey=SomeValue;SomeProp;SomeProp=PropValue;SomeProp=AnotherPropValue"],
            vec![("SomeKey", "SomeValue", "SomeProp;SomeProp=PropValue;SomeProp=AnotherPropValue")]),
        ("test_parse_kv_property", vec!["SomeKey=SomeValue;SomePropKey=SomePropValue"], vec![("SomeKey", "SomeValue", "SomePropKey=SomePropValue")]),
        ("test_parse_simple_ows", vec!["SomeKey \t = \t SomeValue \t "], vec![plain]),
        ("test_parse_property_ows", vec!["SomeKey \t = \t SomeValue \t ; \t SomeProp"], vec![("SomeKey", "SomeValue", "SomeProp")]),
        ("test_parse_multi_property_ows", vec!["SomeKey \t = \t SomeValue \t ; \t SomeProp \t ; \t SecondProp \t = \t PropValue"],
            vec![("SomeKey", "SomeValue", "SomeProp;SecondProp=PropValue")]),
        ("test_parse_kv_property_ows", vec!["SomeKey \t = \t SomeValue \t ; \t SomePropKey \t = \t SomePropValue"],
            vec![("SomeKey", "SomeValue", "SomePropKey=SomePropValue")]),
        ("test_parse_property_without_value_no_percent_decoding", vec!["SomeKey=SomeValue;ValueProp%20%09%20%3D%20%09%20PropVal"],
            vec![("SomeKey", "SomeValue", "ValueProp%20%09%20%3D%20%09%20PropVal")]),
        ("test_just_key_no_equals", vec!["justKey"], vec![]),
        ("test_just_key_among_valid_entries", vec!["k1=v1,justKey,k2=v2"], vec![("k1", "v1", ""), ("k2", "v2", "")]),
        ("test_parse_empty_value", vec!["SomeKey="], vec![("SomeKey", "", "")]),
        ("test_parse_empty_value_with_property", vec!["SomeKey=;SomeProp"], vec![("SomeKey", "", "SomeProp")]),
        ("test_parse_empty_value_ows", vec!["SomeKey \t = \t "], vec![("SomeKey", "", "")]),
        ("test_invalid_utf8_single_continuation_byte", vec!["key=%80"], vec![("key", "\u{fffd}", "")]),
        ("test_invalid_utf8_truncated_sequence", vec!["key=%C3"], vec![("key", "\u{fffd}", "")]),
        ("test_invalid_utf8_surrounded_by_valid", vec!["key=hello%80world"], vec![("key", "hello\u{fffd}world", "")]),
        ("test_example_single_header", vec!["userId=alice,serverNode=DF%2028,isProduction=false"],
            vec![("isProduction", "false", ""), ("serverNode", "DF 28", ""), ("userId", "alice", "")]),
        ("test_example_unicode_value", vec!["userId=Am%C3%A9lie,serverNode=DF%2028,isProduction=false"],
            vec![("isProduction", "false", ""), ("serverNode", "DF 28", ""), ("userId", "Amélie", "")]),
        ("test_example_with_properties", vec!["key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue"],
            vec![("key1", "value1", "property1;property2"), ("key2", "value2", ""), ("key3", "value3", "propertyKey=propertyValue")]),
        ("test_example_ows_in_values", vec!["userId =   alice"], vec![("userId", "alice", "")]),
        ("test_example_multiple_headers_combined", vec!["userId =   alice", "serverNode = DF%2028, isProduction = false"],
            vec![("isProduction", "false", ""), ("serverNode", "DF 28", ""), ("userId", "alice", "")]),
        ("test_roundtrip_multiple_entries_with_properties", vec!["k1=v1;p1;p2=pv2,k2=v2;p3=pv3"],
            vec![("k1", "v1", "p1;p2=pv2"), ("k2", "v2", "p3=pv3")]),
        ("test_roundtrip_preserves_entry_count", vec!["a=1,b=2,c=3,d=4,e=5"],
            vec![("a", "1", ""), ("b", "2", ""), ("c", "3", ""), ("d", "4", ""), ("e", "5", "")]),
        // Ours.
        ("a percent sign that is escaped", vec!["rate=100%25"], vec![("rate", "100%", "")]),
        ("an escape that is escaped", vec!["rate=100%2525"], vec![("rate", "100%25", "")]),
        ("a percent sign that is not", vec!["rate=100%,other=%zz%4"], vec![("other", "%zz%4", ""), ("rate", "100%", "")]),
        ("a plus is a plus", vec!["k=a+b"], vec![("k", "a+b", "")]),
        ("base64", vec!["k=YQ=="], vec![("k", "YQ==", "")]),
        ("spaces that are the value's", vec!["k=%20a%20"], vec![("k", " a ", "")]),
        ("a list that is escaped", vec!["k=a%2Cb%3Bc%5C"], vec![("k", "a,b;c\\", "")]),
        ("keys are not escaped", vec!["a%20b=1,!#$%&'*+-.^_`|~=2"], vec![("!#$%&'*+-.^_`|~", "2", ""), ("a%20b", "1", "")]),
        ("keys that are none", vec!["a b=1,=2,a/b=3,a:b=4,\"q\"=5,ok=6"], vec![("ok", "6", "")]),
        ("values that are none", vec!["a=x y,b=\"q\",c=\\,d={\"json\":1},ok=6"], vec![("ok", "6", "")]),
        ("a property that is none", vec!["a=1;p q;=2;r=s t;good=x"], vec![("a", "1", "good=x")]),
        ("empty members", vec![",a=1,, ,\t,b=2,"], vec![("a", "1", ""), ("b", "2", "")]),
        ("a key twice", vec!["a=1,b=2,a=3"], vec![("a", "3", ""), ("b", "2", "")]),
        ("a key in two headers", vec!["a=1,b=2", "a=3"], vec![("a", "3", ""), ("b", "2", "")]),
        ("keys differ by case", vec!["a=1,A=2"], vec![("A", "2", ""), ("a", "1", "")]),
        ("nothing", vec![""], vec![]),
    ]
}

#[test]
fn the_cases_of_baggage_hold_over_each_carrier() {
    for (of, lists, expected) in cases() {
        let sent: Vec<_> = lists
            .iter()
            .map(|&list| ("baggage", list.to_owned()))
            .collect();
        for (carrier, hop) in CARRIERS {
            let Some(hops) = hop(&sent) else {
                assert!(lists.len() > 1, "{of} over {carrier}");
                continue;
            };
            for context in hops {
                let expected: Vec<_> = expected.iter().copied().map(owned).collect();
                assert_eq!(members(&context), expected, "{of} over {carrier}");
            }
        }
    }
}
