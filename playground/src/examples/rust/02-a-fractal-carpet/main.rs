//! Sierpinski's carpet: a square with a hole, made of such squares.

fn filled(x: usize, y: usize) -> bool {
    if x == 0 && y == 0 {
        return true;
    }
    if x % 3 == 1 && y % 3 == 1 {
        return false;
    }
    filled(x / 3, y / 3)
}

fn main() {
    let depth = std::env::args()
        .nth(1)
        .and_then(|n| n.parse::<u32>().ok())
        .unwrap_or(3)
        .min(4);
    let size = 3usize.pow(depth);

    for y in 0..size {
        let line: String = (0..size)
            .map(|x| if filled(x, y) { "██" } else { "  " })
            .collect();
        println!("{line}");
    }
}
