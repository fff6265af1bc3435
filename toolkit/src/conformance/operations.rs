//! Every operation of the linear algebra, by list. The functions are given to
//! [`check`](super::check) by [`toolkit_conformance!`](crate::toolkit_conformance).

use std::f64::consts::PI;

use super::sheet::Sheet;
use crate::{
    Matrix, Polynomial,
    linalg::{
        Dot, Form, PlainMatrix,
        polynomial::{Method, Stop},
    },
};

/// Sums, differences, products, squares, negatives of two objects of one kind.
pub fn arithmetic(sheet: &Sheet) {
    macro_rules! of_kinds {
        ($($kind:ident)+) => {$(
            let name = |op: &str| format!(concat!(stringify!($kind), " {}"), op);
            let (x, y) = (sheet.$kind(&name("x")), sheet.$kind(&name("y")));
            sheet.output(&name("sum"), &x.add(&y));
            sheet.output(&name("difference"), &x.sub(&y));
            sheet.output(&name("product"), &x.hadamard(&y));
            sheet.output(&name("square"), &x.square());
            sheet.output(&name("negative"), &x.negate());
        )+};
    }
    of_kinds!(matrix row column number);
}

/// The same with arrays and numbers in the clear.
pub fn plain(sheet: &Sheet) {
    let (rows, cols) = (sheet.rows, sheet.cols);
    macro_rules! of_kind {
        ($kind:ident, $array:expr) => {
            let name = |op: &str| format!(concat!(stringify!($kind), " {}"), op);
            let (x, array) = (sheet.$kind(&name("x")), $array);
            sheet.output(&name("plus an array"), &x.add_plain(array.clone()));
            sheet.output(&name("plus a number"), &x.add_plain(0.75));
            sheet.output(&name("less an array"), &x.sub_plain(array.clone()));
            sheet.output(&name("from an array"), &x.sub_from_plain(array.clone()));
            sheet.output(&name("times an array"), &x.multiply_plain(array));
            sheet.output(&name("times pi"), &x.multiply_plain(PI));
            sheet.output(&name("times 3"), &x.multiply_plain(3.0));
        };
    }
    of_kind!(matrix, sheet.plain(rows, cols));
    of_kind!(row, sheet.plain_vector(rows));
    of_kind!(column, sheet.plain_vector(cols));
    of_kind!(number, 0.375);
}

/// Sums and products with an encrypted number.
pub fn scalars(sheet: &Sheet) {
    let number = sheet.number("number");
    macro_rules! of_kinds {
        ($($kind:ident)+) => {$(
            let name = |op: &str| format!(concat!(stringify!($kind), " {}"), op);
            let x = sheet.$kind(&name("x"));
            sheet.output(&name("plus"), &x.add_encrypted(&number));
            sheet.output(&name("less"), &x.sub_encrypted(&number));
            sheet.output(&name("times"), &x.multiply_encrypted(&number));
        )+};
    }
    of_kinds!(matrix row column);
}

/// Matrices scaled by vectors.
pub fn hadamard(sheet: &Sheet) {
    let (rows, cols) = (sheet.rows, sheet.cols);
    let (a, r, c) = (sheet.matrix("a"), sheet.row("r"), sheet.column("c"));
    sheet.output("rows", &r.hadamard_matrix(&a));
    sheet.output("columns", &a.hadamard_column(&c));
    let plain = sheet.plain_vector(rows);
    sheet.output("plain rows", &a.hadamard_plain_rows(plain));
    let plain = sheet.plain_vector(cols);
    sheet.output("plain columns", &a.hadamard_plain_columns(plain));
    let plain = sheet.plain(rows, cols);
    sheet.output("plain matrix, rows", &r.hadamard_plain_matrix(&plain));
    sheet.output("plain matrix, columns", &c.hadamard_plain_matrix(&plain));
}

/// Row vector x matrix, matrix x column vector, and their transposes.
pub fn products(sheet: &Sheet) {
    let (a, r, c) = (sheet.matrix("a"), sheet.row("r"), sheet.column("c"));
    sheet.output("row x matrix", &r.dot(&a));
    sheet.output("matrix x column", &a.dot(&c));
    sheet.output("pi matrix x column", &a.dot_scaled(&c, PI));
    let t = sheet.matrix_of("t", sheet.cols, sheet.rows);
    let (u, v) = (
        sheet.recorder().row_vector("u", sheet.cols, sheet.unit),
        sheet.recorder().column_vector("v", sheet.rows, sheet.unit),
    );
    sheet.output("transpose x row", &t.t().dot(&u));
    sheet.output("column x transpose", &v.dot(&t.t()));
}

/// Sums of rows and columns.
pub fn sums(sheet: &Sheet) {
    let a = sheet.matrix("a");
    sheet.output("rows", &a.sum_rows());
    sheet.output("columns", &a.sum_cols(1.0));
    sheet.output("pi columns", &a.sum_cols(PI));
}

/// Sums over lists.
pub fn lists(sheet: &Sheet) {
    let (rows, cols) = (sheet.rows, sheet.cols);
    let all = ["a", "b", "c"].map(|name| sheet.matrix(name));
    let recorder = sheet.recorder();
    sheet.output("matrices", &recorder.add_many(&all));
    let vectors = ["r", "s"].map(|name| sheet.row(name));
    sheet.output("row vectors", &recorder.add_many(&vectors));
    let vectors = ["u", "v", "w"].map(|name| sheet.column(name));
    sheet.output("column vectors", &recorder.add_many(&vectors));
    let (tall, wide) = (
        sheet.matrix_of("tall", rows + 9, cols),
        sheet.matrix_of("wide", rows, cols + 13),
    );
    sheet.output("rows", &recorder.sum_rows_many([&all[0], &tall]));
    sheet.output("columns", &recorder.sum_cols_many([&all[0], &wide], PI));
}

/// Inner products, sums of entries, norms squared.
pub fn inner(sheet: &Sheet) {
    macro_rules! of_kinds {
        ($($kind:ident)+) => {$(
            let name = |op: &str| format!(concat!(stringify!($kind), " {}"), op);
            let (x, y) = (sheet.$kind(&name("x")), sheet.$kind(&name("y")));
            sheet.output(&name("inner"), &x.inner(&y));
            sheet.output(&name("entries"), &x.sum_entries());
            sheet.output(&name("norm squared"), &x.norm_squared());
        )+};
    }
    of_kinds!(matrix row column);
}

/// Outer products.
pub fn outer(sheet: &Sheet) {
    sheet.output("outer", &sheet.row("r").outer(&sheet.column("c")));
}

/// Conversions of vectors, diagonals, traces.
pub fn convert(sheet: &Sheet) {
    sheet.output("to column", &sheet.row("r").to_column());
    sheet.output("to row", &sheet.column("c").to_row());
    let a = sheet.matrix("a");
    sheet.output("diagonal", &a.diagonal());
    sheet.output("trace", &a.trace());
}

/// Parts of matrices and vectors.
pub fn extract(sheet: &Sheet) {
    let (rows, cols) = (sheet.rows, sheet.cols);
    let (a, r, c) = (sheet.matrix("a"), sheet.row("r"), sheet.column("c"));
    sheet.output("row", &a.row(rows - 1));
    sheet.output("column", &a.column(cols - 2));
    sheet.output("entry", &a.entry(rows - 2, cols - 1));
    sheet.output("block", &a.block(1..rows - 1, 2..cols));
    sheet.output("corner", &a.block(0..rows - 1, 0..cols - 1));
    sheet.output("entry of row vector", &r.entry(rows - 1));
    sheet.output("entry of column vector", &c.entry(cols - 1));
    sheet.output("slice of row vector", &r.slice(1..rows));
    sheet.output("slice of column vector", &c.slice(3..cols - 1));
}

/// Concatenations.
pub fn join(sheet: &Sheet) {
    let (a, b) = (sheet.matrix("a"), sheet.matrix("b"));
    let (r, s) = (sheet.row("r"), sheet.row("s"));
    let (c, d) = (sheet.column("c"), sheet.column("d"));
    sheet.output("rows", &a.concat_rows(&[&b]));
    sheet.output("columns", &a.concat_columns(&[&b]));
    sheet.output("row vectors", &r.concat(&[&s]));
    sheet.output("column vectors", &c.concat(&[&d]));
}

/// Entries set to zero.
pub fn masks(sheet: &Sheet) {
    let (a, r, c) = (sheet.matrix("a"), sheet.row("r"), sheet.column("c"));
    sheet.output("matrix", &a.mask(|r, c| (r + 2 * c) % 3 != 0));
    sheet.output("rows", &a.keep_rows(1..sheet.rows - 1));
    sheet.output("columns", &a.keep_columns(2..sheet.cols));
    sheet.output("row vector", &r.mask(|i| i % 2 == 0));
    sheet.output("column vector", &c.mask(|i| i % 3 != 1));
}

/// Means, variances, columns centred.
pub fn statistics(sheet: &Sheet) {
    let a = sheet.matrix("a");
    sheet.output("means of columns", &a.column_means());
    sheet.output("means of rows", &a.row_means());
    sheet.output("variances of columns", &a.column_variances(0));
    sheet.output("variances of rows", &a.row_variances(1));
    sheet.output("centred", &a.center_columns());
}

/// Products with plaintext matrices.
pub fn plain_product(sheet: &Sheet) {
    let (rows, cols) = (sheet.rows, sheet.cols);
    let (a, r, c) = (sheet.matrix("a"), sheet.row("r"), sheet.column("c"));
    let square = PlainMatrix::from(sheet.plain(rows, rows));
    sheet.output("x row vector", &square.dot(&r));
    sheet.output("x matrix", &square.dot(&a));
    sheet.output("row vector to column", &square.dot_to_column(&r));
    let wide = PlainMatrix::from(sheet.plain(rows, cols));
    sheet.output("x column vector", &wide.dot(&c));
    sheet.output("in two levels", &wide.dot_in_two_levels(&c));
    sheet.output("column vector to row", &wide.dot_to_row(&c));
    let right = PlainMatrix::from(sheet.plain(cols, 5));
    sheet.output("matrix x", &a.dot(&right));
    let reversed: Vec<usize> = (0..cols).rev().collect();
    if let Ok(reversal) = PlainMatrix::selection(&reversed, cols) {
        sheet.output("reversed", &reversal.dot(&c));
    }
}

/// Products of matrices, from factors and their transposes.
pub fn matmul(sheet: &Sheet) {
    let (rows, cols) = (sheet.rows, sheet.cols);
    let (a, b) = (sheet.matrix("a"), sheet.matrix_of("b", cols, rows));
    sheet.output("cheapest", &a.dot(&b));
    sheet.output("shallow", &a.dot_matrix(&b, PI, Form::Shallow));
    sheet.output("skewed", &a.dot_matrix(&b, 1.0, Form::Skewed));
    let (at, bt) = (sheet.matrix_of("at", cols, rows), sheet.matrix("bt"));
    sheet.output("row major", &Matrix::multiply_row_major(&at, &b, PI));
    sheet.output("column major", &Matrix::multiply_column_major(&a, &bt, 1.0));
    sheet.output("transpose x matrix", &at.t().dot(&b));
    sheet.output("matrix x transpose", &a.dot(&bt.t()));
    sheet.output("transposes", &a.t().dot(&b.t()));
}

/// Products between a unit and its transpose; no more columns than a unit has rows.
pub fn mixed_unit(sheet: &Sheet) {
    let (rows, cols) = (sheet.rows, sheet.cols.min(sheet.unit.height()));
    let a = sheet.matrix_of("a", rows, cols);
    sheet.output("row x matrix", &sheet.row("r").dot_mixed_unit(&a));
    let recorder = sheet.recorder();
    let tall = sheet.unit.transposed();
    let x = recorder.column_vector("x", cols, tall);
    sheet.output("matrix x column", &a.dot_mixed_unit(&x, PI));
    let at = recorder.matrix("at", sheet.cols, cols, tall);
    let b = recorder.matrix("b", sheet.cols, cols - 2, tall);
    let product = Matrix::multiply_row_major_mixed_unit(&at, &b, 1.0);
    sheet.output("matrix x matrix", &product);
}

/// Transposes, of matrices and of units.
pub fn transpose(sheet: &Sheet) {
    let m = sheet.unit.height();
    sheet.output("transpose", &sheet.matrix("a").transpose());
    let small = sheet.matrix_of("b", sheet.rows.min(m), sheet.cols.min(m));
    let turned = small.transpose_unit();
    sheet.output("turned, summed", &turned.sum_rows());
    sheet.output("turned back", &turned.transpose_unit().square());
    let x = sheet
        .recorder()
        .column_vector("x", sheet.rows.min(m), sheet.unit.transposed());
    sheet.output("vector turned", &x.transpose_unit().square());
}

/// Polynomials of entries, by every method.
pub fn polynomials(sheet: &Sheet) {
    let monomial = Polynomial::monomial(&[0.5, 0.25, 0.0, -0.75, 0.125]).expect("finite");
    let chebyshev =
        Polynomial::chebyshev(&[0.25, 0.5, -0.25, 0.0, 0.0, 0.125], -2.0, 2.0).expect("finite");
    let a = sheet.matrix("a");
    sheet.output("monomial", &a.polynomial(&monomial));
    let methods = [
        ("Chebyshev, Paterson-Stockmeyer", Method::PatersonStockmeyer),
        ("Chebyshev, power tree", Method::PowerTree),
        ("Chebyshev, Clenshaw", Method::Horner),
    ];
    for (name, method) in methods {
        sheet.output(name, &a.polynomial_by(&chebyshev, method));
    }
    sheet.output("row vector", &sheet.row("r").polynomial(&chebyshev));
    sheet.output("column vector", &sheet.column("c").polynomial(&monomial));
    sheet.output("number", &sheet.number("n").polynomial(&chebyshev));
    let slots = sheet.recorder().slots_input("slots", 2);
    sheet.output("slots", &slots.polynomial(&monomial));
}

/// Constants subtracted from slots, which sums and products at the same level share with them.
pub fn constants(sheet: &Sheet) {
    let x = sheet.recorder().slots_input("x", 2);
    let constants = vec![
        sheet.plain_vector(sheet.unit.slots()).to_vec(),
        vec![0.75, -0.25],
    ];
    let (sum, product) = (
        x.add_plain(constants.clone()),
        x.multiply_plain(constants.clone()),
    );
    sheet.output("less constants", &x.sub_plain(constants.clone()));
    sheet.output("product less constants", &product.sub_plain(constants));
    sheet.output("plus constants", &sum.lower_level(1));
}

/// Inverses, roots, norms.
pub fn inverses(sheet: &Sheet) {
    for name in ["a", "r", "c"] {
        sheet.within(name, 0.5, 1.0);
    }
    let (a, r, c) = (sheet.matrix("a"), sheet.row("r"), sheet.column("c"));
    let stop = Stop::RelativeError(0.02);
    sheet.output("inverse", &a.inverse(0.5, 1.0, stop));
    sheet.output("inverse root", &r.inverse_sqrt(0.5, 1.0, stop));
    sheet.output("root", &c.sqrt(0.5, 1.0, stop));
    // The norm of n entries in [0.5, 1] lies between these.
    let most = (sheet.cols as f64).sqrt();
    sheet.output("norm", &c.norm(0.5 * most, most, stop));
}
