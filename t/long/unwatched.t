# The broker cannot watch a stream of a program any more, as the kernel has no
# room for that: the job ends as internal, not as if that were all there was.

use strict;
use warnings;

use Codr::Host qw(need slurp wait_until);
use Codr::Inject qw(traced);
use Codr::Nginx;
use Codr::Phases qw(role);
use JSON::PP ();
use Test::More;

need(qw(plain root module helper /usr/bin/strace));

my $nginx = Codr::Nginx->new(languages => 0,
    location => 'codr_output 64m; codr_timeout 60s;', http => <<'END');
codr_language sh { source main.sh; run /bin/sh $source; }
END
ok($nginx->ready, 'the server is ready');
my $broker = role($nginx, 'broker');

sub flood {
    my $ws = $nginx->ws;
    $ws->execute(language => 'sh', tty => JSON::PP::false, code =>
        'echo on; read x; while :; do echo 0123456789012345678901234567; done');
    $ws->expect(qr/on\n/, 60) or BAIL_OUT('no job');
    return $ws;
}

# It waits for somebody to read what it has written.
sub is_blocked {
    my ($pid) = grep { slurp("/proc/$_/comm") eq "sh\n" }
        $nginx->job_processes;
    my $look = sub { slurp("/proc/$pid/io") =~ /wchar: (\d+)/ ? $1 : -1 };
    my ($last, $same) = ($look->(), 0);
    return wait_until(20, sub {
        my $now = $look->();
        $same = $now == $last && slurp("/proc/$pid/syscall") =~ /^1 /
            ? $same + 1 : 0;
        $last = $now;
        return $same > 20;
    });
}

# Nothing can be watched, but what is; the job, as its client sees it.
sub without_room {
    my ($ws, $begin) = @_;
    my $job;
    traced($nginx, 'broker', sub {
        $begin->();
        $job = $ws->finish(60);
    }, '-e', 'inject=epoll_ctl:error=ENOSPC', '-e', 'trace=epoll_ctl');
    return $job;
}

sub ends {
    my ($job, $name) = @_;
    is($job->{status}, 'internal', "$name: it ends, and not well")
        or diag(substr explain($job), 0, 1000);
    ok(wait_until(20, sub { !$nginx->job_processes }),
        "$name: nothing is left");
    is($nginx->post('/run', { language => 'sh', code => 'echo next' })
            ->{json}{stdout}, "next\n", "$name: the next job runs");
    is(role($nginx, 'broker'), $broker, "$name: nobody has died");
    return;
}

my $ws = flood();
ends(without_room($ws, sub { $ws->input("\n") }), 'a flood begins');

$ws = flood();
$ws->input("\n");
ok(is_blocked(), 'a flood that nobody reads waits');
ends(without_room($ws, sub { }), 'it is read on');

$nginx->finish(expected => qr/codr: /);
done_testing();
