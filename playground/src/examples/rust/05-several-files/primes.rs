//! The sieve of Eratosthenes.

pub fn below(limit: usize) -> Vec<usize> {
    let mut is_prime = vec![true; limit];
    let mut found = Vec::new();

    for n in 2..limit {
        if is_prime[n] {
            found.push(n);
            for multiple in (n * n..limit).step_by(n) {
                is_prime[multiple] = false;
            }
        }
    }
    found
}
