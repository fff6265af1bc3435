//! The tables of docs/security.md: what the best known attacks cost at the limits of the 128-bit table and for the sets of docs/benchmarks.
//!
//! cargo run --release -p arras-ckks --example security

use std::fmt::Write;

use arras_ckks::params::{CostModel, RingLwe, SPARSE_WEIGHT, SparseRingLwe, max_log2_qp};

/// Sets that docs/benchmarks names: what they are for, log2 of the ring degree and of QP.
const SETS: [(&str, u32, f64); 9] = [
    ("standard set, 7 levels", 14, 419.8),
    ("standard set, 15 levels", 15, 859.8),
    ("standard set, 30 levels", 16, 1561.7),
    ("circuits: single-chain-mask-free", 15, 686.1),
    ("circuits: mask-free", 15, 859.0),
    ("circuits: low-depth, single-chain", 15, 862.5),
    ("circuits: baseline; quality: clinical sets", 16, 1388.0),
    ("quality: MNIST", 16, 1708.1),
    ("quality: nhanes3", 16, 1734.6),
];

fn main() {
    print!("{}", tables());
}

/// Moduli under sparse secrets: what they are, log2 of the ring degree and of the modulus.
const SPARSE: [(&str, u32, f64); 4] = [
    ("Q_0 p of every set here", 16, 78.5),
    ("30 bits more", 16, 108.5),
    ("published sets with h = 32", 16, 121.0),
    ("half the degree: refused", 15, 78.5),
];

/// All tables.
fn tables() -> String {
    let limits = (12..=17).filter_map(|log_n| {
        let limit = f64::from(max_log2_qp(log_n)?);
        Some(("limit of the table", log_n, limit))
    });
    table(limits) + "\n" + &table(SETS.into_iter()) + "\n" + &sparse_table()
}

fn sparse_table() -> String {
    let mut text = String::from(
        "| modulus under the sparse secret | N | log2 | hybrid | lattice dimension | guessed |\n|---|---|---|---|---|---|\n",
    );
    for (name, log_n, log2_q) in SPARSE {
        let Some(problem) = SparseRingLwe::new(log_n, SPARSE_WEIGHT, log2_q) else {
            continue;
        };
        let attack = problem.hybrid();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {name} | 2^{log_n} | {log2_q:.1} | {:.1} | {} | {} |",
            attack.log2_cost, attack.dimension, attack.guessed
        );
    }
    text
}

fn table<'a>(sets: impl Iterator<Item = (&'a str, u32, f64)>) -> String {
    let mut text = String::from(
        "| set | N | log2 QP | at most | primal | dual | blocks | BDGL16 | core-SVP |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for (name, log_n, log2_qp) in sets {
        let Some(problem) = RingLwe::new(log_n, log2_qp) else {
            continue;
        };
        let limit = max_log2_qp(log_n).unwrap_or_default();
        let primal = problem.primal(CostModel::Matzov);
        let dual = problem.dual(CostModel::Matzov);
        let other = [CostModel::Bdgl16, CostModel::CoreSvp].map(|model| problem.log2_cost(model));
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {name} | 2^{log_n} | {log2_qp:.1} | {limit} | {:.1} | {:.1} | {} | {:.1} | {:.1} |",
            primal.log2_cost, dual.log2_cost, primal.block_size, other[0], other[1]
        );
    }
    text
}

#[cfg(test)]
mod tests {
    /// The page says what the code computes.
    #[test]
    fn the_tables_of_the_page_are_these() {
        let page = include_str!("../../docs/security.md");
        let tables = super::tables();
        for table in tables.split("\n\n") {
            assert!(
                page.contains(table.trim()),
                "docs/security.md lacks:\n{tables}"
            );
        }
    }
}
