# Programs that end exactly when their time does: whichever comes first, there
# is one end, and it is consistent.

use strict;
use warnings;

use Codr::Host qw(cgroups need);
use Codr::Hygiene;
use Codr::Nginx;
use Test::More;

need(qw(module helper /usr/bin/gcc));

my $RUNS = 500;
my $AT_ONCE = 4;
my $WALL_MS = 200;
my $CPU_MS = 100;

my $nginx = Codr::Nginx->new(server => Codr::Hygiene::location() . <<"END");
location = /wall { codr_exec; codr_timeout ${WALL_MS}ms; codr_cpu_time 60s; }
location = /cpu { codr_exec; codr_timeout 60s; codr_cpu_time ${CPU_MS}ms; }
END
ok($nginx->ready, 'the server is ready');
my $hygiene = Codr::Hygiene->new($nginx);

my %program = (wall => <<'END', cpu => <<'END');
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    usleep(atoi(argv[argc - 1]));
}
END
#include <stdlib.h>
#include <time.h>
int main(int argc, char **argv)
{
    while (clock() < atoi(argv[argc - 1])) { }
}
END

# Compiled once: no time for it in what follows.
my %wanted = (ok => 0, wall_limit => -9, cpu_limit => -9);

sub runs {
    my ($kind, $limit_ms, $count) = @_;
    my (%how, @odd, %ids);
    my @clients = map { $nginx->ws(path => "/$kind") } 1 .. $AT_ONCE;
    for (my $n = 0; $n < $count; $n += $AT_ONCE) {
        for my $i (0 .. $#clients) {
            my $us = $limit_ms * 1000 - 5000 + (($n + $i) * 37) % 10_000;
            $clients[$i]->execute(language => 'c', code => $program{$kind},
                args => ["$us"]);
        }
        for my $client (@clients) {
            my $job = $client->finish(60);
            my $end = $job->{complete} // {};
            $how{ $job->{status} }++;
            my @ends = grep { $_->{type} =~ /^(?:complete|error)$/ }
                @{ $job->{messages} };
            my @others = grep { $_->{job_id}
                && $_->{job_id} ne $job->{started}{job_id} }
                @{ $job->{messages} };
            push @odd, "$job->{status}: " . ($end->{exit_code} // 'none')
                if @ends != 1 || @others
                || ($wanted{ $job->{status} } // 'none')
                    ne ($end->{exit_code} // '')
                || $ids{ $job->{started}{job_id} }++;
        }
    }
    diag("$kind: ", join ', ', map {"$_ $how{$_}"} sort keys %how);
    is(join(', ', @odd), '', "$kind: one consistent end each");
    is(join(' ', grep { !/^(?:ok|${kind}_limit)$/ } keys %how), '',
        "$kind: of one of two kinds");
    my $sum = 0;
    $sum += $_ for values %how;
    is($sum, $count, "$kind: $count ends of $count runs");
    is(join(' ', map { $_->fill(0) ? 'more' : () } @clients), '',
        "$kind: and nothing after the last");
}

runs('wall', $WALL_MS, $RUNS);
$hygiene->check('wall time');
SKIP: {
    skip 'CPU time by the millisecond needs cgroups', 1 if !cgroups();
    runs('cpu', $CPU_MS, 100);
    $hygiene->check('CPU time');
}

$hygiene->finish;
$nginx->finish;
done_testing();
