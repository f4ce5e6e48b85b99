use web::testing::Program;

const PROGRAM: Program = Program::new(env!("CARGO_BIN_EXE_embeddings"), &[]);

#[test]
fn refuses_a_wrong_value_in_one_line_that_names_its_variable() {
    PROGRAM.refuses_each(&[
        ("LISTEN_ADDR", "nowhere"),
        ("FAULT_EMBEDDINGS", "broken"),
        ("FAULT_EMBEDDINGS", "unavailable:0"),
        ("FAULT_EMBEDDINGS", "slow:soon"),
        ("FAULT_EMBEDDINGS", "unavailable:2,refuse"),
    ]);
}
