# The Nth system call of a supervisor fails, from its first one on; and with it
# the Nth of a broker, of a spawner, and of what they start: each is traced from
# the moment it is made.  However often they fail to start, they are there when
# nothing fails any more, without anybody's doing.

use strict;
use warnings;

use Codr::Host qw(need wait_until);
use Codr::Hygiene;
use Codr::Inject qw(failing fails is_whole replaced traced);
use Codr::Nginx;
use Codr::Phases qw(next_job_runs);
use Test::More;
use Time::HiRes qw(time);

need(qw(plain root module helper /usr/bin/strace));

my $SECONDS = 120;      # then the rest is left out, and said
my $MOST    = 5;        # of the same call
my $start   = time;

my $nginx = Codr::Nginx->new(languages => 0, log => 'notice', http => <<'END');
codr_language sh { source main.sh; run /bin/sh $source; }
END
ok($nginx->ready && next_job_runs($nginx), 'the server is ready');

# A keeper without its supervisor, and all that it starts.
sub started {
    my ($work, @options) = @_;
    return traced($nginx, 'keeper', $work, '-f', @options);
}

# What a supervisor calls until jobs run.
my ($supervisor, %count);
my $trace = started(sub {
    $supervisor = replaced($nginx, 'supervisor');
    is_whole($nginx, 20);
});
ok($supervisor, 'the keeper starts another supervisor');
$count{$_}++ for $trace =~ /^$supervisor +(\w+)\(/mg;
cmp_ok(scalar keys %count, '>', 20, 'of which all calls are seen');
ok($count{execveat}, 'from the first on');
ok(is_whole($nginx, 30), 'jobs run');

my $descriptors = Codr::Hygiene::descriptors($nginx);
my @injections = map {
    my $call = $_;
    map { [ $call, $_ ] } 1 .. ($count{$call} > $MOST ? $MOST : $count{$call});
} grep { fails($_) } sort keys %count;

# In another order each time, as not all may have their turn.
my $seed = $ENV{CODR_START_SEED} // time ^ $$;
srand $seed;
diag("CODR_START_SEED=$seed");

my ($done, $left, @stuck) = (0, 0);
for (map { $_->[1] } sort { $a->[0] <=> $b->[0] } map { [ rand, $_ ] }
    @injections) {
    my ($call, $n) = @{$_};
    if (time - $start > $SECONDS || @stuck) {
        $left++;
        next;
    }
    started(sub { replaced($nginx, 'supervisor') }, failing($call, $n));
    $done++;
    is_whole($nginx, 40) or push @stuck, "$call $n: "
        . join(' ', sort values %{ $nginx->helpers });
}

diag("$done failures");
diag("$left more were left out: no time") if $left;
cmp_ok($done, '>', 3, 'calls have failed');
is(join("\n", @stuck), '', 'and each time jobs ran again, of a whole helper');
ok(wait_until(20, sub {
    Codr::Hygiene::descriptors($nginx) <= $descriptors + 4;
}), 'nothing is left open') or diag($descriptors, ' then ',
    Codr::Hygiene::descriptors($nginx));
ok(wait_until(10, sub { !$nginx->job_processes }), 'no process is left');
$nginx->finish(expected => qr/codr: /);

done_testing();
