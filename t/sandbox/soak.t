# The short form of `make soak`: a stream of jobs of all kinds beside idle
# sockets, and afterwards there is what there was before.

use strict;
use warnings;

use Codr::Host qw(build need wait_until);
use Codr::Soak;
use Test::More;

need(qw(module helper), build() . '/t/soak/codr_soak');

my $IDLE = 300;
my $RATE = 60;

my $soak = Codr::Soak->server(files => 2000, jobs => 8);
my $nginx = $soak->nginx;
ok($nginx->ready, 'the server is ready');

# Slots are made on demand and kept: the first stream makes them.
my %did = Codr::Soak::figures($soak->load($IDLE, $RATE, 1));
ok($did{well}, 'jobs run');

sub quiet {
    my ($now);
    wait_until(10, sub {
        $now = $soak->sample;
        return !$now->{processes} && !$now->{terminals}
            && $nginx->get('/metrics')->{body} =~ /^codr_sockets 0$/m;
    });
    return $now;
}

my $before = quiet();
%did = Codr::Soak::figures($soak->load($IDLE, $RATE, 3));
is($did{well} + $did{left} + $did{missed}, 3 * $RATE,
    'each job ends well, or is left, as it should');
is("$did{otherwise} $did{lost}", '0 0', 'none otherwise, no socket is lost');

# What only a loaded machine needs more of is bounded by what runs at once.
# Sanitizers keep what is freed, up to 256 MB.
my $rss = $ENV{CODR_SANITIZER} ? 400_000 : 4096;
my (%now, @more);
ok(wait_until(10, sub {
    %now = %{ quiet() };
    @more = grep {
        my $may = /^rss/ ? $rss : /^zone/ ? 1024
            : /spawner|cgroups/ ? 300 : 8;
        $now{$_} > $before->{$_} + $may;
    } sort keys %now;
    return !@more;
}), 'nothing is left of them')
    or diag(map {"$_: $before->{$_}, then $now{$_}\n"} @more);
is($now{processes}, 0, 'no process');
is($now{terminals}, 0, 'no terminal');
$nginx->finish;

done_testing();
