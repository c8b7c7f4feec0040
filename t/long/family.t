# The Nth system call of the keeper, and of the supervisor, fails while they do
# all that they ever do: start a family, take a configuration and give it on,
# see one of them die and start another one.  What fails then is made good
# without anybody's doing, and nothing is left open.

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
my $start   = time;

my $nginx = Codr::Nginx->new(languages => 0, log => 'notice', http => <<'END');
codr_language sh { source main.sh; run /bin/sh $source; }
END
ok($nginx->ready && next_job_runs($nginx), 'the server is ready');

# What gives them work, and when it is done, or as far as it goes.
my %work = (
    supervisor => {
        broker  => sub { replaced($nginx, 'broker') },
        spawner => sub { replaced($nginx, 'spawner') },
        reload  => sub { $nginx->reload },
    },
    keeper => { supervisor => sub { replaced($nginx, 'supervisor') } },
);

my ($done, $left, @stuck) = (0, 0);
my @injections;                 # role, what, call, N
for my $role (sort keys %work) {
    for my $what (sort keys %{ $work{$role} }) {
        my %count;
        $count{$_}++ for traced($nginx, $role, $work{$role}{$what})
            =~ /^(\w+)\(/mg;
        ok(wait_until(30, sub { next_job_runs($nginx) }),
            "$role: $what, without a failure");
        for my $call (grep { fails($_) } sort keys %count) {
            my $most = $count{$call} > 4 ? 4 : $count{$call};
            push @injections, map { [ $role, $what, $call, $_ ] } 1 .. $most;
        }
    }
}
cmp_ok(scalar @injections, '>', 20, 'there are calls to fail');
my $descriptors = Codr::Hygiene::descriptors($nginx);

# In another order each time, as not all may have their turn; messages of a
# reload first, the news of a worker's channel among them.
my $seed = $ENV{CODR_FAMILY_SEED} // time ^ $$;
srand $seed;
diag("CODR_FAMILY_SEED=$seed");
for (sort { $a->[4] <=> $b->[4] }
    map { [ @{$_}, "@{$_}[1, 2]" eq 'reload sendmsg' ? 0 : rand ] } @injections)
{
    my ($role, $what, $call, $n) = @{$_};
    if (time - $start > $SECONDS || @stuck) {
        $left++;
        next;
    }
    traced($nginx, $role, $work{$role}{$what}, failing($call, $n));
    $done++;
    is_whole($nginx, 40) or push @stuck, "$role $what $call $n: "
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
