//! The rows of the table.

use arras::toolkit::{
    Polynomial, Result,
    linalg::{
        Dot, Form, Matrix, PlainMatrix,
        polynomial::{Method, Stop},
    },
};

use super::{Case, Objects, Published};

const FREE: Published = Published {
    depth: 0,
    formula: "0",
    rotations: |_| 0,
};
const PRODUCT: Published = Published { depth: 1, ..FREE };
const SUM_ROWS: Published = Published {
    depth: 0,
    formula: "H lg m",
    rotations: |s| s.h * s.lg_m(),
};
const SUM_COLS: Published = Published {
    depth: 1,
    formula: "2 V lg n",
    rotations: |s| 2 * s.v * s.lg_n(),
};
/// For each row of the result (ePrint 2020/1483): the row is taken out and repeated, multiplied and summed.
const MATRIX_PRODUCT: Published = Published {
    depth: 3,
    formula: "m (1 + lg n + lg m)",
    rotations: |s| s.m * (1 + s.lg_n() + s.lg_m()),
};
/// The rows are added in the transposed unit, whose height is n.
const SUM_ROWS_MIXED: Published = Published {
    depth: 1,
    formula: "H lg n",
    rotations: |s| s.h * s.lg_n(),
};

/// Every operation, in groups, in the order of the toolkit's own list.
pub(super) fn cases() -> Vec<Case> {
    [
        entry_by_entry(),
        with_plaintext(),
        with_a_number(),
        sums_and_products(),
        matrix_products(),
        plaintext_products(),
        parts(),
        statistics(),
        functions(),
    ]
    .concat()
}

type Body = fn(&Objects<'_>) -> Result<()>;

fn case(group: &'static str, name: &'static str, body: Body) -> Case {
    Case {
        group,
        name,
        range: (-1.0, 1.0),
        published: None,
        body,
    }
}

impl Case {
    fn published(mut self, published: Published) -> Self {
        self.published = Some(published);
        self
    }

    fn between(mut self, low: f64, high: f64) -> Self {
        self.range = (low, high);
        self
    }
}

fn entry_by_entry() -> Vec<Case> {
    let of = |name, body| case("entry by entry", name, body);
    vec![
        of("matrix + matrix", |o| o.out(&(o.a() + o.b()))).published(FREE),
        of("matrix - matrix", |o| o.out(&(o.a() - o.b()))).published(FREE),
        of("- matrix", |o| o.out(&o.a().negate())).published(FREE),
        of("row vector + row vector", |o| o.out(&(o.row() + o.row_b()))).published(FREE),
        of("column vector + column vector", |o| {
            o.out(&(o.column() + o.column_b()))
        })
        .published(FREE),
        of("sum of a list of 4 matrices", |o| {
            let list = [o.a(), o.b(), o.matrix("C"), o.matrix("D")];
            o.out(&o.recorder.add_many(&list))
        })
        .published(FREE),
        of("matrix (*) matrix", |o| o.out(&o.a().hadamard(&o.b()))).published(PRODUCT),
        of("matrix, squared", |o| o.out(&o.a().square())).published(PRODUCT),
        of("row vector (*) row vector", |o| {
            o.out(&o.row().hadamard(&o.row_b()))
        })
        .published(PRODUCT),
        of("column vector (*) column vector", |o| {
            o.out(&o.column().hadamard(&o.column_b()))
        })
        .published(PRODUCT),
        of("row vector (*) matrix", |o| {
            o.out(&o.row().hadamard_matrix(&o.a()))
        })
        .published(PRODUCT),
        of("matrix (*) column vector", |o| {
            o.out(&o.a().hadamard_column(&o.column()))
        })
        .published(PRODUCT),
        of("row vector, outer product with column vector", |o| {
            o.out(&o.row().outer(&o.column()))
        }),
        of("entries set to zero (mask)", |o| {
            o.out(&o.a().mask(|r, c| r <= c))
        }),
    ]
}

fn with_plaintext() -> Vec<Case> {
    let of = |name, body| case("with plaintext", name, body);
    vec![
        of("matrix + plaintext matrix", |o| {
            o.out(&o.a().add_plain(o.plain()))
        })
        .published(FREE),
        of("plaintext matrix - matrix", |o| {
            o.out(&o.a().sub_from_plain(o.plain()))
        })
        .published(FREE),
        of("matrix + pi", |o| {
            o.out(&o.a().add_plain(std::f64::consts::PI))
        })
        .published(FREE),
        of("matrix x pi", |o| {
            o.out(&o.a().multiply_plain(std::f64::consts::PI))
        })
        .published(PRODUCT),
        of("matrix x 3", |o| o.out(&o.a().multiply_plain(3.0))).published(PRODUCT),
        of("matrix (*) plaintext matrix", |o| {
            o.out(&o.a().multiply_plain(o.plain()))
        })
        .published(PRODUCT),
        of("row vector (*) plaintext vector", |o| {
            o.out(&o.row().multiply_plain(o.plain_vector(o.unit.height())))
        })
        .published(PRODUCT),
        of("column vector (*) plaintext vector", |o| {
            let vector = o.plain_vector(o.unit.width());
            o.out(&o.column().multiply_plain(vector))
        })
        .published(PRODUCT),
        of("matrix, rows scaled by a plaintext vector", |o| {
            o.out(&o.a().hadamard_plain_rows(o.plain_vector(o.unit.height())))
        }),
        of("matrix, columns scaled by a plaintext vector", |o| {
            let vector = o.plain_vector(o.unit.width());
            o.out(&o.a().hadamard_plain_columns(vector))
        }),
        of("row vector (*) plaintext matrix", |o| {
            o.out(&o.row().hadamard_plain_matrix(o.plain()))
        }),
        of("column vector (*) plaintext matrix", |o| {
            o.out(&o.column().hadamard_plain_matrix(o.plain()))
        }),
    ]
}

fn with_a_number() -> Vec<Case> {
    let of = |name, body| case("with an encrypted number", name, body);
    vec![
        of("matrix + number", |o| {
            o.out(&o.a().add_encrypted(&o.number()))
        }),
        of("matrix x number", |o| {
            o.out(&o.a().multiply_encrypted(&o.number()))
        }),
        of("row vector x number", |o| {
            o.out(&o.row().multiply_encrypted(&o.number()))
        }),
        of("column vector x number", |o| {
            o.out(&o.column().multiply_encrypted(&o.number()))
        }),
    ]
}

fn sums_and_products() -> Vec<Case> {
    let of = |name, body| case("sums and products with vectors", name, body);
    vec![
        of("sum of rows", |o| o.out(&o.a().sum_rows())).published(SUM_ROWS),
        of("sum of rows of 4 matrices", |o| {
            let list = [o.a(), o.b(), o.matrix("C"), o.matrix("D")];
            o.out(&o.recorder.sum_rows_many(&list))
        })
        .published(SUM_ROWS),
        of("sum of columns, x pi", |o| {
            o.out(&o.a().sum_cols(std::f64::consts::PI))
        })
        .published(SUM_COLS),
        of("sum of columns of 4 matrices", |o| {
            let list = [o.a(), o.b(), o.matrix("C"), o.matrix("D")];
            o.out(&o.recorder.sum_cols_many(&list, 1.0))
        })
        .published(SUM_COLS),
        of("row vector x matrix", |o| o.out(&o.row().dot(&o.a()))).published(Published {
            depth: 1,
            ..SUM_ROWS
        }),
        of("matrix x column vector, x pi", |o| {
            o.out(&o.a().dot_scaled(&o.column(), std::f64::consts::PI))
        })
        .published(Published {
            depth: 2,
            ..SUM_COLS
        }),
        of("row vector x matrix (m x m), mixed unit", |o| {
            let height = o.unit.height();
            o.out(&o.row().dot_mixed_unit(&o.of("A", height, height)))
        })
        .published(SUM_ROWS_MIXED),
        of("matrix (m x m) x column vector, mixed unit", |o| {
            let (height, tall) = (o.unit.height(), o.unit.transposed());
            let column = o.recorder.column_vector("x", height, tall);
            o.out(&o.of("A", height, height).dot_mixed_unit(&column, 1.0))
        })
        .published(Published {
            depth: 2,
            ..SUM_COLS
        }),
        of("inner product of row vectors", |o| {
            o.out(&o.row().inner(&o.row_b()))
        }),
        of("inner product of column vectors", |o| {
            o.out(&o.column().inner(&o.column_b()))
        }),
        of("inner product of matrices", |o| o.out(&o.a().inner(&o.b()))),
        of("sum of all entries", |o| o.out(&o.a().sum_entries())),
    ]
}

fn matrix_products() -> Vec<Case> {
    let of = |name, body| case("matrix products and transposes", name, body);
    vec![
        of("matrix (m x n) x matrix (n x m), cheapest form", |o| {
            let b = o.of("B", o.unit.width(), o.unit.height());
            o.out(&o.a().dot(&b))
        }),
        of("matrix (m x n) x matrix (n x m), two levels", |o| {
            let b = o.of("B", o.unit.width(), o.unit.height());
            o.out(&o.a().dot_matrix(&b, 1.0, Form::Shallow))
        }),
        of("matrix (n x m)^T x matrix (n x m), row major", |o| {
            let (m, n) = (o.unit.height(), o.unit.width());
            let (a, b) = (o.of("A", n, m), o.of("B", n, m));
            o.out(&Matrix::multiply_row_major(&a, &b, 1.0))
        })
        .published(MATRIX_PRODUCT),
        of("matrix (m x n) x matrix (m x n)^T, column major", |o| {
            o.out(&Matrix::multiply_column_major(&o.a(), &o.b(), 1.0))
        })
        .published(MATRIX_PRODUCT),
        of("matrix (n x m)^T x matrix (n x m), mixed unit", |o| {
            let (m, n) = (o.unit.height(), o.unit.width());
            let tall = o.unit.transposed();
            let (a, b) = (
                o.recorder.matrix("A", n, m, tall),
                o.recorder.matrix("B", n, m, tall),
            );
            o.out(&Matrix::multiply_row_major_mixed_unit(&a, &b, 1.0))
        })
        .published(MATRIX_PRODUCT),
        of("transposed unit of a matrix (m x m)", |o| {
            let height = o.unit.height();
            o.out(&o.of("A", height, height).transpose_unit())
        })
        .published(FREE),
        of("transpose of a matrix (m x n)", |o| {
            o.out(&o.a().transpose())
        }),
    ]
}

fn plaintext_products() -> Vec<Case> {
    let of = |name, body| case("products with plaintext matrices", name, body);
    vec![
        of("plaintext matrix (n x n) x column vector", |o| {
            o.out(&square(o).dot(&o.column()))
        }),
        of("the same in two levels", |o| {
            o.out(&square(o).dot_in_two_levels(&o.column()))
        }),
        of("plaintext matrix (m x m) x row vector", |o| {
            let height = o.unit.height();
            let plain = PlainMatrix::from(o.plain_of(height, height));
            o.out(&plain.dot(&o.row()))
        }),
        of(
            "plaintext matrix (n x m) x row vector, to column vector",
            |o| {
                let plain = PlainMatrix::from(o.plain_of(o.unit.width(), o.unit.height()));
                o.out(&plain.dot_to_column(&o.row()))
            },
        ),
        of(
            "plaintext matrix (m x n) x column vector, to row vector",
            |o| {
                let plain = PlainMatrix::from(o.plain());
                o.out(&plain.dot_to_row(&o.column()))
            },
        ),
        of("plaintext matrix (m x m) x matrix", |o| {
            let height = o.unit.height();
            let plain = PlainMatrix::from(o.plain_of(height, height));
            o.out(&plain.dot(&o.a()))
        }),
        of("matrix x plaintext matrix (n x n)", |o| {
            o.out(&o.a().dot(&square(o)))
        }),
    ]
}

fn square(o: &Objects<'_>) -> PlainMatrix {
    let width = o.unit.width();
    o.plain_of(width, width).into()
}

fn parts() -> Vec<Case> {
    let of = |name, body| case("parts and conversions", name, body);
    vec![
        of("row vector, as column vector", |o| {
            o.out(&o.row().to_column())
        }),
        of("column vector, as row vector", |o| {
            o.out(&o.column().to_row())
        }),
        of("diagonal of a matrix", |o| o.out(&o.a().diagonal())),
        of("trace of a matrix (m x m)", |o| {
            let height = o.unit.height();
            o.out(&o.of("A", height, height).trace())
        }),
        of("a row", |o| o.out(&o.a().row(3))),
        of("a column", |o| o.out(&o.a().column(3))),
        of("an entry of a matrix", |o| o.out(&o.a().entry(3, 5))),
        of("an entry of a row vector", |o| o.out(&o.row().entry(3))),
        of("an entry of a column vector", |o| {
            o.out(&o.column().entry(3))
        }),
        of("a block off the corner", |o| {
            o.out(&o.a().block(3..o.unit.height(), 5..o.unit.width()))
        }),
        of("a slice of a row vector", |o| {
            o.out(&o.row().slice(3..o.unit.height()))
        }),
        of("a slice of a column vector", |o| {
            o.out(&o.column().slice(5..o.unit.width()))
        }),
        of("two matrices, one below the other", |o| {
            o.out(&o.a().concat_rows(&[&o.b()]))
        }),
        of("two matrices (m x n/2) side by side", |o| {
            let (m, n) = (o.unit.height(), o.unit.width() / 2);
            o.out(&o.of("A", m, n).concat_columns(&[&o.of("B", m, n)]))
        }),
        of("two row vectors, joined", |o| {
            o.out(&o.row().concat(&[&o.row_b()]))
        }),
        of("two column vectors of n/2, joined", |o| {
            let half = o.unit.width() / 2;
            let x = o.recorder.column_vector("x", half, o.unit);
            let y = o.recorder.column_vector("y", half, o.unit);
            o.out(&x.concat(&[&y]))
        }),
    ]
}

fn statistics() -> Vec<Case> {
    let of = |name, body| case("statistics", name, body);
    vec![
        of("means of columns", |o| o.out(&o.a().column_means())),
        of("means of rows", |o| o.out(&o.a().row_means())),
        of("variances of columns", |o| {
            o.out(&o.a().column_variances(1))
        }),
        of("variances of rows", |o| o.out(&o.a().row_variances(1))),
        of("columns centred", |o| o.out(&o.a().center_columns())),
        of("squared norm of a column vector", |o| {
            o.out(&o.column().norm_squared())
        }),
    ]
}

fn functions() -> Vec<Case> {
    let of = |name, body| case("functions of every entry", name, body);
    vec![
        of("polynomial of degree 3 on [-1, 1]", |o| {
            o.out(&o.a().polynomial(&series(3)?))
        }),
        of("polynomial of degree 7 on [-1, 1]", |o| {
            o.out(&o.a().polynomial(&series(7)?))
        }),
        of("polynomial of degree 7 on [-8, 8]", |o| {
            let p = Polynomial::interpolate(|x| 1.0 / (1.0 + (-x).exp()), -8.0, 8.0, 7)?;
            o.out(&o.a().polynomial(&p))
        }),
        of("polynomial of degree 7, by Horner", |o| {
            o.out(&o.a().polynomial_by(&series(7)?, Method::Horner))
        }),
        of("polynomial of degree 31 on [-1, 1]", |o| {
            o.out(&o.a().polynomial(&series(31)?))
        }),
        of("1 / x on [1, 4], to 1 %", |o| {
            o.out(&o.a().inverse(1.0, 4.0, Stop::RelativeError(0.01)))
        })
        .between(1.0, 4.0),
        of("1 / sqrt(x) on [1, 4], to 1 %", |o| {
            o.out(&o.a().inverse_sqrt(1.0, 4.0, Stop::RelativeError(0.01)))
        })
        .between(1.0, 4.0),
        of("sqrt(x) on [1, 4], to 1 %", |o| {
            o.out(&o.a().sqrt(1.0, 4.0, Stop::RelativeError(0.01)))
        })
        .between(1.0, 4.0),
    ]
}

/// A Chebyshev series with all its coefficients.
fn series(degree: usize) -> Result<Polynomial> {
    Polynomial::interpolate(|x| (2.0 * x + 0.5).sin(), -1.0, 1.0, degree)
}
