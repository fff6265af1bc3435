use super::*;
#[test]
fn show() {
    for a in [
        Approximation::cubic_16(),
        Approximation::cubic_8(),
        Approximation::quintic_8(),
        Approximation::septic_8(),
    ] {
        println!("{:?} {}", a, a.max_error());
        let l = Approximation::least_squares(a.degree(), a.bound()).unwrap();
        println!("  {:?} {}", l, l.max_error());
        let l = Approximation::minimax(a.degree(), a.bound()).unwrap();
        println!("  {:?} {}", l, l.max_error());
    }
    for b in [0.01, 0.5, 1.0, 4.0, 6.0, 12.0, 32.0, 100.0, 1024.0] {
        for d in [1, 3, 5, 7, 9, 11, 13, 15] {
            let l = Approximation::least_squares(d, b).unwrap();
            match Approximation::minimax(d, b) {
                Ok(a) => println!(
                    "{d} {b} lsq {:.3e} minimax {:.3e}",
                    l.max_error(),
                    a.max_error()
                ),
                Err(e) => println!("{d} {b} lsq {:.3e} {e}", l.max_error()),
            }
        }
    }
}
