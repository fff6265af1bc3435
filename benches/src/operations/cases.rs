//! The rows of the table.

use arras::toolkit::{
    Matrix, Polynomial, Result,
    linalg::{
        Dot, Form, PlainMatrix,
        polynomial::{Method, Stop},
    },
};

use super::{Case, Published};

const FREE: Published = Published {
    depth: 0,
    formula: "0",
    rotations: |_| 0,
};
const PRODUCT: Published = Published { depth: 1, ..FREE };
const SUM_ROWS: Published = Published {
    depth: 0,
    formula: "H lg m",
    rotations: |[_, lg_m, _]| lg_m,
};
const SUM_COLS: Published = Published {
    depth: 1,
    formula: "2 V lg n",
    rotations: |[_, _, lg_n]| 2 * lg_n,
};
/// For each row of the result (ePrint 2020/1483): the row is taken out and repeated, multiplied and summed.
const MATRIX_PRODUCT: Published = Published {
    depth: 3,
    formula: "m (1 + lg n + lg m)",
    rotations: |[m, lg_m, lg_n]| m * (1 + lg_n + lg_m),
};
/// The rows are added in the transposed unit, whose height is n.
const SUM_ROWS_MIXED: Published = Published {
    depth: 1,
    formula: "H lg n",
    rotations: |[_, _, lg_n]| lg_n,
};

/// Groups of `name => what is recorded`, with the published figures and the interval of the entries where they are not [-1, 1].
macro_rules! cases {
    ($o:ident: $($group:literal {
        $($name:literal => $body:expr $(, published: $published:expr)? $(, between: $low:literal, $high:literal)?;)*
    })*) => {
        vec![$($(
            Case {
                group: $group,
                name: $name,
                body: |$o| $o.out(&$body),
                published: None::<Published>$(.or(Some($published)))?,
                range: None$(.or(Some(($low, $high))))?,
            }
        ),*),*]
    };
}

/// Every operation, in groups, in the order of the toolkit's own list. Not formatted by rustfmt: a line each.
pub(super) fn cases() -> Vec<Case> {
    cases! { o:
        "entry by entry" {
            "matrix + matrix" => o.a() + o.b(), published: FREE;
            "matrix - matrix" => o.a() - o.b(), published: FREE;
            "- matrix" => o.a().negate(), published: FREE;
            "row vector + row vector" => o.row() + o.row_b(), published: FREE;
            "column vector + column vector" => o.column() + o.column_b(), published: FREE;
            "sum of a list of 4 matrices" => o.recorder.add_many(&o.four()), published: FREE;
            "matrix (*) matrix" => o.a().hadamard(&o.b()), published: PRODUCT;
            "matrix, squared" => o.a().square(), published: PRODUCT;
            "row vector (*) row vector" => o.row().hadamard(&o.row_b()), published: PRODUCT;
            "column vector (*) column vector" => o.column().hadamard(&o.column_b()), published: PRODUCT;
            "row vector (*) matrix" => o.row().hadamard_matrix(&o.a()), published: PRODUCT;
            "matrix (*) column vector" => o.a().hadamard_column(&o.column()), published: PRODUCT;
            "row vector, outer product with column vector" => o.row().outer(&o.column());
            "entries set to zero (mask)" => o.a().mask(|r, c| r <= c);
        }
        "with plaintext" {
            "matrix + plaintext matrix" => o.a().add_plain(o.plain()), published: FREE;
            "plaintext matrix - matrix" => o.a().sub_from_plain(o.plain()), published: FREE;
            "matrix + pi" => o.a().add_plain(std::f64::consts::PI), published: FREE;
            "matrix x pi" => o.a().multiply_plain(std::f64::consts::PI), published: PRODUCT;
            "matrix x 3" => o.a().multiply_plain(3.0), published: PRODUCT;
            "matrix (*) plaintext matrix" => o.a().multiply_plain(o.plain()), published: PRODUCT;
            "row vector (*) plaintext vector" => o.row().multiply_plain(o.plain_vector(o.unit.height())), published: PRODUCT;
            "column vector (*) plaintext vector" => o.column().multiply_plain(o.plain_vector(o.unit.width())), published: PRODUCT;
            "matrix, rows scaled by a plaintext vector" => o.a().hadamard_plain_rows(o.plain_vector(o.unit.height()));
            "matrix, columns scaled by a plaintext vector" => o.a().hadamard_plain_columns(o.plain_vector(o.unit.width()));
            "row vector (*) plaintext matrix" => o.row().hadamard_plain_matrix(o.plain());
            "column vector (*) plaintext matrix" => o.column().hadamard_plain_matrix(o.plain());
        }
        "with an encrypted number" {
            "matrix + number" => o.a().add_encrypted(&o.number());
            "matrix x number" => o.a().multiply_encrypted(&o.number());
            "row vector x number" => o.row().multiply_encrypted(&o.number());
            "column vector x number" => o.column().multiply_encrypted(&o.number());
        }
        "sums and products with vectors" {
            "sum of rows" => o.a().sum_rows(), published: SUM_ROWS;
            "sum of rows of 4 matrices" => o.recorder.sum_rows_many(&o.four()), published: SUM_ROWS;
            "sum of columns, x pi" => o.a().sum_cols(std::f64::consts::PI), published: SUM_COLS;
            "sum of columns of 4 matrices" => o.recorder.sum_cols_many(&o.four(), 1.0), published: SUM_COLS;
            "row vector x matrix" => o.row().dot(&o.a()), published: Published { depth: 1, ..SUM_ROWS };
            "matrix x column vector, x pi" =>
                o.a().dot_scaled(&o.column(), std::f64::consts::PI), published: Published { depth: 2, ..SUM_COLS };
            "row vector x matrix (m x m), mixed unit" => o.row().dot_mixed_unit(&o.square()), published: SUM_ROWS_MIXED;
            "matrix (m x m) x column vector, mixed unit" =>
                {
                    let column = o.recorder.column_vector("x", o.unit.height(), o.unit.transposed());
                    o.square().dot_mixed_unit(&column, 1.0)
                }, published: Published { depth: 2, ..SUM_COLS };
            "inner product of row vectors" => o.row().inner(&o.row_b());
            "inner product of column vectors" => o.column().inner(&o.column_b());
            "inner product of matrices" => o.a().inner(&o.b());
            "sum of all entries" => o.a().sum_entries();
        }
        "matrix products and transposes" {
            "matrix (m x n) x matrix (n x m), cheapest form" => { let b = o.of("B", o.unit.width(), o.unit.height()); o.a().dot(&b) };
            "matrix (m x n) x matrix (n x m), two levels" =>
                { let b = o.of("B", o.unit.width(), o.unit.height()); o.a().dot_matrix(&b, 1.0, Form::Shallow) };
            "matrix (n x m)^T x matrix (n x m), row major" =>
                {
                    let (m, n) = (o.unit.height(), o.unit.width());
                    Matrix::multiply_row_major(&o.of("A", n, m), &o.of("B", n, m), 1.0)
                }, published: MATRIX_PRODUCT;
            "matrix (m x n) x matrix (m x n)^T, column major" =>
                Matrix::multiply_column_major(&o.a(), &o.b(), 1.0), published: MATRIX_PRODUCT;
            "matrix (n x m)^T x matrix (n x m), mixed unit" =>
                {
                    let (m, n, tall) = (o.unit.height(), o.unit.width(), o.unit.transposed());
                    let of = |name| o.recorder.matrix(name, n, m, tall);
                    Matrix::multiply_row_major_mixed_unit(&of("A"), &of("B"), 1.0)
                }, published: MATRIX_PRODUCT;
            "transposed unit of a matrix (m x m)" => o.square().transpose_unit(), published: FREE;
            "transpose of a matrix (m x n)" => o.a().transpose();
        }
        "products with plaintext matrices" {
            "plaintext matrix (n x n) x column vector" => o.plain_square(o.unit.width()).dot(&o.column());
            "the same in two levels" => o.plain_square(o.unit.width()).dot_in_two_levels(&o.column());
            "plaintext matrix (m x m) x row vector" => o.plain_square(o.unit.height()).dot(&o.row());
            "plaintext matrix (n x m) x row vector, to column vector" => PlainMatrix::from(o.plain_of(o.unit.width(), o.unit.height())).dot_to_column(&o.row());
            "plaintext matrix (m x n) x column vector, to row vector" => PlainMatrix::from(o.plain()).dot_to_row(&o.column());
            "plaintext matrix (m x m) x matrix" => o.plain_square(o.unit.height()).dot(&o.a());
            "matrix x plaintext matrix (n x n)" => o.a().dot(&o.plain_square(o.unit.width()));
        }
        "parts and conversions" {
            "row vector, as column vector" => o.row().to_column();
            "column vector, as row vector" => o.column().to_row();
            "diagonal of a matrix" => o.a().diagonal();
            "trace of a matrix (m x m)" => o.square().trace();
            "a row" => o.a().row(3);
            "a column" => o.a().column(3);
            "an entry of a matrix" => o.a().entry(3, 5);
            "an entry of a row vector" => o.row().entry(3);
            "an entry of a column vector" => o.column().entry(3);
            "a block off the corner" => o.a().block(3..o.unit.height(), 5..o.unit.width());
            "a slice of a row vector" => o.row().slice(3..o.unit.height());
            "a slice of a column vector" => o.column().slice(5..o.unit.width());
            "two matrices, one below the other" => o.a().concat_rows(&[&o.b()]);
            "two matrices (m x n/2) side by side" =>
                { let (m, n) = (o.unit.height(), o.unit.width() / 2); o.of("A", m, n).concat_columns(&[&o.of("B", m, n)]) };
            "two row vectors, joined" => o.row().concat(&[&o.row_b()]);
            "two column vectors of n/2, joined" =>
                {
                    let half = |name| o.recorder.column_vector(name, o.unit.width() / 2, o.unit);
                    half("x").concat(&[&half("y")])
                };
        }
        "statistics" {
            "means of columns" => o.a().column_means();
            "means of rows" => o.a().row_means();
            "variances of columns" => o.a().column_variances(1);
            "variances of rows" => o.a().row_variances(1);
            "columns centred" => o.a().center_columns();
            "squared norm of a column vector" => o.column().norm_squared();
        }
        "functions of every entry" {
            "polynomial of degree 3 on [-1, 1]" => o.a().polynomial(&series(3)?);
            "polynomial of degree 7 on [-1, 1]" => o.a().polynomial(&series(7)?);
            "polynomial of degree 7 on [-8, 8]" =>
                { let p = Polynomial::interpolate(sigmoid, -8.0, 8.0, 7)?; o.a().polynomial(&p) };
            "polynomial of degree 7, by Horner" => o.a().polynomial_by(&series(7)?, Method::Horner);
            "polynomial of degree 31 on [-1, 1]" => o.a().polynomial(&series(31)?);
            "1 / x on [1, 4], to 1 %" => o.a().inverse(1.0, 4.0, Stop::RelativeError(0.01)), between: 1.0, 4.0;
            "1 / sqrt(x) on [1, 4], to 1 %" => o.a().inverse_sqrt(1.0, 4.0, Stop::RelativeError(0.01)), between: 1.0, 4.0;
            "sqrt(x) on [1, 4], to 1 %" => o.a().sqrt(1.0, 4.0, Stop::RelativeError(0.01)), between: 1.0, 4.0;
        }
    }
}

/// Of the sizes that people ask for, in units of height d.
pub(crate) fn large() -> Vec<Case> {
    cases! { o:
        "large" {
            "encrypted matrix (d x d) x encrypted matrix (d x d)" => o.of_d("A", 1, 1).dot(&o.of_d("B", 1, 1));
            "plaintext matrix (8 d x 8 d) x encrypted column vector" => o.plain_square(8 * o.unit.height()).dot(&o.long_column()?);
            "the same in two levels" => o.plain_square(8 * o.unit.height()).dot_in_two_levels(&o.long_column()?);
            "encrypted matrix (4 d x 2 d) x encrypted column vector" =>
                o.of_d("A", 4, 2).dot(&o.recorder.column_vector("x", 2 * o.unit.height(), o.unit));
            "encrypted row vector x encrypted matrix (4 d x 2 d)" =>
                o.recorder.row_vector("x", 4 * o.unit.height(), o.unit).dot(&o.of_d("A", 4, 2));
            "polynomial of degree 7 of a matrix (d x d)" =>
                { let p = Polynomial::interpolate(sigmoid, -1.0, 1.0, 7)?; o.of_d("A", 1, 1).polynomial(&p) };
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// A Chebyshev series with all its coefficients.
fn series(degree: usize) -> Result<Polynomial> {
    Polynomial::interpolate(|x| (2.0 * x + 0.5).sin(), -1.0, 1.0, degree)
}
