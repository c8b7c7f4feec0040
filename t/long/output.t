# Output that nobody reads: the program waits, nobody's memory grows, and the
# program is gone when the client is.

use strict;
use warnings;

use Codr::Host qw(need slow slurp wait_until);
use Codr::Hygiene;
use Codr::Nginx;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

need(qw(module helper /usr/bin/python3));

my $nginx = Codr::Nginx->new(location => 'codr_output 4000m;'
    . ' codr_cpu_time 60s; codr_timeout 120s;',
    server => Codr::Hygiene::location());
ok($nginx->ready, 'the server is ready');
my $hygiene = Codr::Hygiene->new($nginx);

sub memory_kb {
    my $sum = 0;
    for ($nginx->workers, keys %{ $nginx->helpers }) {
        $sum += $1 if slurp("/proc/$_/status") =~ /^VmRSS:\s+(\d+)/m;
    }
    return $sum;
}

sub ticks {
    my $sum = 0;
    for ($nginx->workers, $nginx->job_processes, keys %{ $nginx->helpers }) {
        my @stat = split ' ', slurp("/proc/$_/stat") =~ s/^.*\) //sr;
        $sum += $stat[11] + $stat[12] if @stat > 12;
    }
    return $sum;
}

for my $terminal (0, 1) {
    my $name = $terminal ? 'a terminal' : 'pipes';
    my $before = memory_kb();
    my $client = $nginx->ws;
    $client->execute(language => 'python',
        tty => $terminal ? JSON::PP::true : JSON::PP::false,
        code => "while True: print('x' * 1000)\n");

    # Steady when nobody uses CPU time any more: then all of them wait.
    my $last = -1;
    ok(wait_until(30, sub {
            my $now = ticks();
            my $steady = $now > 0 && $now == $last;
            $last = $now;
            sleep 1;
            return $steady;
        }), "$name: a client that reads nothing stops the program");
    cmp_ok(memory_kb() - $before, '<', 64 << 10, "$name: at a small cost");
    is($nginx->post('/run', { language => 'python', code => 'print(1)' })
        ->{json}{stdout}, "1\n", "$name: others run");
    $client->drop;
    ok(wait_until(5, sub { $nginx->job_processes <= 2 }),
        "$name: it ends with its client");
    $hygiene->check("$name that nobody reads");
}

$hygiene->finish;
$nginx->finish;
done_testing();
