# Rust: rustc, edition 2021.

use strict;
use warnings;

use Codr::Language;
use Test::More;

Codr::Language::check(
    name     => 'rust',
    needs    => '/usr/bin/rustc',
    compiled => 1,
    hello    => <<'END',
fn main() { println!("Hello a\u{e4}\u{20ac}\u{1f600}z"); }
END
    guess    => <<'END',
use std::io::{self, Write};
fn main() {
    loop {
        print!("Guess: ");
        io::stdout().flush().unwrap();
        let mut line = String::new();
        io::stdin().read_line(&mut line).unwrap();
        match line.trim().parse::<i32>().unwrap() {
            42 => break println!("yes, 42"),
            n => println!("{}", if n > 42 { "lower" } else { "higher" }),
        }
    }
}
END
    count    => <<'END',
use std::io::Read;
fn main() {
    let mut data = Vec::new();
    std::io::stdin().read_to_end(&mut data).unwrap();
    let sum: u64 = data.iter().map(|b| u64::from(*b)).sum();
    println!("{} {}", data.len(), sum);
}
END
    echo     => <<'END',
fn main() {
    for line in std::io::stdin().lines() {
        println!("[{}]", line.unwrap());
    }
}
END
    bytes    => <<'END',
use std::{io::Write, thread::sleep, time::Duration};
fn main() {
    for byte in "a\u{e4}\u{20ac}\u{1f600}z".bytes() {
        let mut out = std::io::stdout();
        out.write_all(&[byte]).unwrap();
        out.flush().unwrap();
        sleep(Duration::from_millis(20));
    }
}
END
    broken   => "fn main() {\n    let a = 1;\n    println!(\"{}\", x);\n}\n",
    broken_says => qr/^error.*--> main\.rs:3:\d+/ms,
    fails    => "fn main() {\n    let v: Vec<i32> = Vec::new();\n"
        . "    println!(\"{}\", v[std::env::args().count()]);\n}\n",
    fails_says => qr/panicked at .*main\.rs:3:\d+/s,
    exit     => <<'END',
fn main() {
    let code = std::env::args().nth(1).unwrap().parse().unwrap();
    std::process::exit(code);
}
END
    segv     => <<'END',
fn main() {
    unsafe { std::ptr::read_volatile(8 as *const i32) };
}
END
    abort    => "fn main() { std::process::abort(); }\n",
    args     => <<'END',
fn main() {
    let args: Vec<_> = std::env::args().skip(1)
        .map(|a| format!("[{}]", a)).collect();
    println!("{}", args.concat());
}
END
    files    => [
        'main.rs' => "mod helper;\nfn main() {\n"
            . "    println!(\"from helper: {}\", helper::answer());\n}\n",
        'helper.rs' => "pub fn answer() -> i32 { 42 }\n",
    ],
    threads  => <<'END',
use std::thread;
fn main() {
    let threads: Vec<_> = (0..4)
        .map(|_| thread::spawn(|| (1..=1000u64).sum::<u64>())).collect();
    let sum: u64 = threads.into_iter().map(|t| t.join().unwrap()).sum();
    println!("{}", sum);
}
END
    streams  => "fn main() { println!(\"out\"); eprintln!(\"err\"); }\n",
    more     => \&more,
);

sub more {
    my ($nginx) = @_;
    my $job = $nginx->run_job(language => 'rs', timeout => 60,
        code => "#![deny(warnings)]\nasync fn f() {}\n"
        . "fn main() { let _ = f(); println!(\"2021\"); }\n");
    is($job->{stdout}, "2021\r\n", 'an edition with async');
}
