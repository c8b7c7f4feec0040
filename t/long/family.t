# The Nth system call of the keeper, and of the supervisor, fails while they do
# all that they ever do: start a family, take a configuration and give it on,
# see one of them die and start another one.  What fails then is made good
# without anybody's doing, and nothing is left open.

use strict;
use warnings;

use Codr::Host qw(need wait_until);
use Codr::Inject qw(failing fails in_turn replaced shuffled traced);
use Codr::Nginx;
use Codr::Phases qw(next_job_runs);
use Test::More;

need(qw(plain root module helper /usr/bin/strace));

my $SECONDS = 120;      # then the rest is left out, and said

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

# The news of a worker's channel first.
my $news = sub { "@{$_}[1, 2]" eq 'reload sendmsg' };
in_turn($nginx, $SECONDS, sub {
    my ($role, $what, $call, $n) = @_;
    traced($nginx, $role, $work{$role}{$what}, failing($call, $n));
    return "$role $what $call $n";
}, (grep { $news->() } @injections),
    shuffled('CODR_FAMILY_SEED', grep { !$news->() } @injections));
$nginx->finish(expected => qr/codr: /);

done_testing();
