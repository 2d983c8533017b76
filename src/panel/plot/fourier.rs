//! The discrete Fourier transform of any number of values.
//!
//! Invariant: exact to rounding for every length, a prime too, in n log n.

use std::f64::consts::PI;

type Complex = (f64, f64);

/// `X_k = Σ x_j e^(-2πi jk / n)` for all k.
pub fn transform(values: &[f64]) -> Vec<Complex> {
    let n = values.len();
    let mut x: Vec<Complex> = values.iter().map(|v| (*v, 0.0)).collect();
    if n.is_power_of_two() {
        radix_2(&mut x);
        return x;
    }
    // Bluestein 1970: a convolution with a chirp, of a length that is a power of two
    let chirp: Vec<Complex> = (0..n as u128).map(|k| root((k * k % (2 * n as u128)) as usize, 2 * n)).collect();
    let size = (2 * n).next_power_of_two();
    let mut a = vec![(0.0, 0.0); size];
    let mut b = vec![(0.0, 0.0); size];
    for (i, (x, w)) in x.iter().zip(&chirp).enumerate() {
        a[i] = times(*x, *w);
        b[i] = conjugate(*w);
        b[(size - i) % size] = conjugate(*w);
    }
    radix_2(&mut a);
    radix_2(&mut b);
    // the inverse transform, by conjugates
    a.iter_mut().zip(&b).for_each(|(a, b)| *a = conjugate(times(*a, *b)));
    radix_2(&mut a);
    let scale = 1.0 / size as f64;
    let unchirped = |(a, w): (&Complex, &Complex)| {
        let (re, im) = times(conjugate(*a), *w);
        (re * scale, im * scale)
    };
    a.iter().zip(&chirp).map(unchirped).collect()
}

/// In place; of a number of values that is a power of two.
fn radix_2(x: &mut [Complex]) {
    let n = x.len();
    if n < 2 {
        return;
    }
    let bits = n.trailing_zeros();
    for i in 0..n {
        let j = i.reverse_bits() >> (usize::BITS - bits);
        if i < j {
            x.swap(i, j);
        }
    }
    let roots: Vec<Complex> = (0..n / 2).map(|k| root(k, n)).collect();
    let mut half = 1;
    while half < n {
        for block in x.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let turned = times(*b, roots[k * (n / 2 / half)]);
                *b = (a.0 - turned.0, a.1 - turned.1);
                *a = (a.0 + turned.0, a.1 + turned.1);
            }
        }
        half *= 2;
    }
}

/// `e^(-2πi k / n)`
fn root(k: usize, n: usize) -> Complex {
    let (sin, cos) = (2.0 * PI * k as f64 / n as f64).sin_cos();
    (cos, -sin)
}

fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

fn conjugate(a: Complex) -> Complex {
    (a.0, -a.1)
}
