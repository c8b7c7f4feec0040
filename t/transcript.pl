#!/usr/bin/perl

# Plays one program in every language a server has, over its WebSocket, and
# prints what a person at the terminal would have seen.
#
#     transcript.pl PORT [PID]        PID: the server; its end is the end

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(wait_until);

my ($port, $pid) = @ARGV;

# Each asks for a name without ending the line, does a little of what its
# language is good at, and ends.
my %PROGRAM = (
    python => <<'END',
name = input("Your name? ")
squares = {n: n * n for n in range(1, 6)}
print(f"Hello, {name}! Squares: {squares}")
print("2 ** 100 =", 2 ** 100)
END
    javascript => <<'END',
const rl = require('readline').createInterface({ input: process.stdin });
process.stdout.write('Your name? ');
rl.once('line', (name) => {
  console.log(`Hello, ${name}!`, [3, 1, 2].sort().map((n) => n * n));
  rl.close();
});
END
    c => <<'END',
#include <stdio.h>

int main(void)
{
    char name[64];

    printf("Your name? ");
    fflush(stdout);

    if (scanf("%63s", name) == 1) {
        printf("Hello, %s! An int has %zu bytes.\n", name, sizeof(int));
    }

    return 0;
}
END
    cpp => <<'END',
#include <algorithm>
#include <iostream>
#include <string>

int main()
{
    std::string name;

    std::cout << "Your name? " << std::flush;
    std::getline(std::cin, name);
    std::cout << "Hello, " << name << "! Backwards: ";
    std::reverse(name.begin(), name.end());
    std::cout << name << '\n';
}
END
    rust => <<'END',
use std::io::{self, Write};

fn main() {
    let mut name = String::new();
    print!("Your name? ");
    io::stdout().flush().unwrap();
    io::stdin().read_line(&mut name).unwrap();
    let sum: u64 = (1..=100).filter(|n| n % 3 == 0).sum();
    println!("Hello, {}! Multiples of 3 up to 100: {}", name.trim(), sum);
}
END
);

$| = 1;
binmode STDOUT, ':encoding(UTF-8)';

my $health = wait_until(30, sub {
    return { status => -1 } if $pid && !kill 0, $pid;
    my $answer = eval {
        Codr::Client->request(port => $port, path => '/health', timeout => 2)
    } or return;
    return $answer->{status} == 200 ? $answer : undef;
});
if (!$health || $health->{status} != 200) {
    my $answer = eval {
        Codr::Client->request(port => $port, path => '/health', timeout => 2)
    };
    print "codr is not ready: ", $answer && $answer->{body}
        || 'nginx did not answer', "\n";
    exit 1;
}
print "codr is ready\n";
if ($health->{json}{degraded}) {
    my $layers = $health->{json}{layers};
    print "Not everything is enforced here (codr-sandboxd --check tells):\n";
    print "    $_: $layers->{$_}\n"
        for grep { $layers->{$_} ne 'ok' } sort keys %{$layers};
    print "    $_\n" for @{ $health->{json}{causes} };
}

my $languages = Codr::Client->request(port => $port, path => '/languages')
    ->{json}{languages} // [];
my $failed = 0;
for my $language (@{$languages}) {
    my ($name, $version) = @{$language}{qw(name version)};
    my $program = $PROGRAM{$name} or next;
    print "\n== $name";
    if (!$language->{available}) {
        print ": not available (", $language->{reason} // 'no reason', ")\n";
        next;
    }
    print $version ? " ($version)\n" : "\n";
    $failed++ unless play($name, $program);
}
exit($failed ? 1 : 0);


sub play {
    my ($name, $program) = @_;
    my $client = Codr::Client->open(port => $port, path => '/run');
    my $shown = '';
    $client->execute(language => $name, code => $program);
    if ($client->expect(qr/\? /, 60)) {
        $shown = "Your name? Ada\n";
        $client->input("Ada\n");
    }
    my $job = $client->finish(60);
    $shown .= $client->{output};
    $shown .= $job->{error}{message} . "\n" if $job->{error};
    print map {"   $_\n"} split /\r?\n/, $shown;

    my $end = $job->{complete};
    if (!$end) {
        print "-- $job->{status}\n";
        return 0;
    }
    printf "-- %s, exit %d, %.0f ms, CPU %.0f ms", $end->{status},
        $end->{exit_code}, 1000 * $end->{wall_time}, 1000 * $end->{cpu_time};
    printf ', %.1f MB', $end->{memory_peak} / 1e6 if $end->{memory_peak};
    printf ', compiled in %.0f ms', 1000 * $end->{compile}{wall_time}
        if $end->{compile};
    print "\n";
    return $end->{status} eq 'ok';
}
