//! A module of one's own: the other tab.

mod primes;

fn main() {
    for n in [10, 100, 1000] {
        let found = primes::below(n);
        println!("{} primes below {n}, the last is {:?}",
            found.len(), found.last());
    }
}
