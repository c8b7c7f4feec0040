# The helper and nginx: who starts it, who keeps it, when it leaves, and that
# nothing about it takes nginx down.

use strict;
use warnings;

use Codr::Host qw(build need slurp spew wait_until);
use Codr::Nginx;
use File::Copy qw(copy);
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper));

my @plain = (server => 'location = /plain { return 200 fine; }');
my $lost = qr/helper is lost|no jobs can be run/;

# Pids of the processes of a role.
sub role {
    my ($nginx, $name) = @_;
    my %role = %{ $nginx->helpers };
    my @pids = sort { $a <=> $b } grep { $role{$_} eq $name } keys %role;
    return @pids;
}

sub supervisors { return role($_[0], 'supervisor') }

sub runs {
    my ($nginx) = @_;
    my $answer = $nginx->post('/run',
        { language => 'python', code => 'print(6 * 7)' }, timeout => 20);
    return 1 if ($answer->{json}{stdout} // '') eq "42\n";
    diag("$answer->{status} $answer->{body}");
    return 0;
}

# Also when nobody has waited for it yet.
sub gone {
    my ($pid) = @_;
    return wait_until(10, sub {
        slurp("/proc/$pid/stat") !~ /\) [^ZX] /;
    });
}

sub fine { return $_[0]->get('/plain')->{body} eq 'fine' }


subtest 'nginx -t starts none' => sub {
    my $dir = Codr::Nginx::dir();
    my ($ok, $said) = Codr::Nginx->check(dir => $dir, port => 11);
    ok($ok, 'the configuration is fine') or diag $said;
    my $checked = bless { port => 11, owner => 0 }, 'Codr::Nginx';
    is_deeply([ supervisors($checked) ], [], 'no helper');
    unlike($said, qr/\[warn\]/, 'and no warning');
};


for my $mode (qw(foreground daemon single)) {
    subtest "mode $mode" => sub {
        my $nginx = Codr::Nginx->new(mode => $mode, @plain);
        ok($nginx->ready, 'a helper is up');
        my @helper = supervisors($nginx);
        is(scalar @helper, 1, 'one');
        my ($parent) = slurp("/proc/$helper[0]/stat") =~ /\) \S (\d+)/;
        isnt($parent, $nginx->pid, 'not a child of nginx');
        like($nginx->log, qr/started helper "/, 'the log says so');
        is($nginx->get('/status')->{json}{helper}, 'up', 'as health does');
        $nginx->finish;
        is_deeply([ supervisors($nginx) ], [], 'and it left with nginx');
    };
}


subtest 'what the helper inherits' => sub {
    my $nginx = Codr::Nginx->new;
    ok($nginx->ready, 'a helper is up');
    my ($helper) = supervisors($nginx);
    my @sockets = map { (readlink $_) =~ /^socket:\[(\d+)\]/ ? $1 : () }
        glob "/proc/$helper/fd/*";
    my ($listening) = map { (split)[9] } grep {
            /^\s*\d+: 0100007F:@{[ sprintf '%04X', $nginx->port ]} \S+ 0A /
        } split /\n/, slurp('/proc/net/tcp');
    ok($listening, 'nginx listens');
    ok(!(grep { $_ == $listening } @sockets), 'the helper does not');
    my %env = map { /^([^=]+)=/ ? ($1 => 1) : () } split /\0/,
        slurp("/proc/$helper/environ");
    is_deeply([ sort keys %env ], [qw(LANG PATH)], 'a clean environment');
    $nginx->finish;
};


subtest 'reload' => sub {
    my $nginx = Codr::Nginx->new(workers => 2, @plain);
    ok($nginx->ready, 'up');
    my @helper = supervisors($nginx);
    for (1 .. 3) {
        ok($nginx->reload, 'reloads');
        ok($nginx->ready, 'and is up');
        is_deeply([ supervisors($nginx) ], \@helper, 'with the same helper');
    }
    unlike($nginx->log, $lost, 'which was never lost');
    is(scalar(() = $nginx->log =~ /the helper is up/g), 1, 'said once');

    my $uids = $nginx->uid_base + 1;
    my $path = 'spawn ' . build();
    ok($nginx->reload(http => 'codr_zone codr:1m; codr_user nobody;'
                . ' codr_cgroup /x;', uids => "$uids 100",
        helper => $path . '/.' x 500 . '/codr-sandboxd', workers => 1),
        'reloads with what needs a restart');
    like($nginx->log, qr/\[warn\].*"$_" was changed, which needs a/,
        "$_: said") for qw(codr_helper codr_uids codr_user codr_cgroup);
    like($nginx->log, qr/\[warn\].*size of zone "codr" cannot be changed/,
        'codr_zone: said');
    ok($nginx->ready, 'up');
    $nginx->write_conf(uids => undef, http => '',
        helper => "$path/codr-sandboxd");
    is_deeply([ supervisors($nginx) ], \@helper, 'with the same helper');

    ok($nginx->reload(load => 0), 'reloads without codr');
    ok(gone($helper[0]), 'and the helper leaves');
    ok(fine($nginx), 'nginx does not');
    ok($nginx->reload(load => 1), 'reloads with codr');
    ok($nginx->ready, 'up again');
    isnt((supervisors($nginx))[0], $helper[0], 'with another helper');
    $nginx->finish;
};


subtest 'the master is killed' => sub {
    my $nginx = Codr::Nginx->new(@plain);
    ok($nginx->ready, 'up');
    my ($helper) = supervisors($nginx);
    my @workers = $nginx->workers;
    my $master = $nginx->pid;
    kill KILL => $master;
    waitpid $master, 0;
    ok(fine($nginx), 'the worker goes on');
    is($nginx->get('/status')->{status}, 200, 'and so does the helper');
    is_deeply([ supervisors($nginx) ], [$helper], 'the same');
    kill QUIT => @workers;
    ok(gone($helper), 'it leaves with the last worker');
    delete @{$nginx}{qw(pid child)};
};


# In the foreground nginx takes no USR2.
subtest 'an upgrade by USR2' => sub {
    my $nginx = Codr::Nginx->new(mode => 'daemon', @plain);
    ok($nginx->ready, 'up');
    my ($first) = supervisors($nginx);
    ok($nginx->upgrade, 'a second nginx');
    ok(wait_until(10, sub { supervisors($nginx) == 2 }), 'a second helper');
    ok($nginx->quit_old, 'the first nginx leaves');
    ok(gone($first), 'and its helper');
    ok($nginx->ready, 'the second is up');
    is(scalar supervisors($nginx), 1, 'one helper is left');
    $nginx->finish;
};


# Who is left when the keeper is gone goes on; without a supervisor either,
# nobody can start one.
subtest 'the helper is killed' => sub {
    my $nginx = Codr::Nginx->new(workers => 2, @plain);
    ok($nginx->ready, 'up');
    my ($keeper) = role($nginx, 'keeper');
    my ($helper) = supervisors($nginx);
    kill KILL => $keeper;
    ok(gone($keeper), 'no keeper');
    is($nginx->get('/status')->{status}, 200, 'health: up');
    ok(runs($nginx), 'a job runs');
    ok($nginx->reload, 'a reload');
    ok($nginx->ready, 'is taken');
    is_deeply([ supervisors($nginx) ], [$helper], 'by the same supervisor');
    kill KILL => $helper;
    my $health;                     # for a moment it may be "starting"
    ok($nginx->ready(10, sub {
            $health = $_[0]{json};
            return $_[0]{status} == 503 && $health->{helper} eq 'unavailable';
        }), 'health: 503, the helper is not available');
    is($health->{status}, 'unhealthy', 'unhealthy');
    like("@{ $health->{causes} }", qr/the helper is lost/, 'the cause');
    my $answer = $nginx->post('/run', { language => 'python', code => '1' });
    is($answer->{status}, 503, 'a job is refused');
    is($answer->{json}{code}, 'unavailable', 'as unavailable');
    ok($answer->{headers}{'retry-after'}, 'for now');
    ok(fine($nginx), 'the rest works');
    is(scalar(() = $nginx->log =~ /helper is lost/g), 1, 'it is said once');
    ok($nginx->reload, 'a reload');
    ok($nginx->ready, 'brings it back');
    $nginx->finish;
};


# Service is back without anybody's doing, and a job that runs meanwhile is
# told, or is not touched.
for my $role (qw(keeper supervisor broker spawner)) {
    subtest "the $role is killed" => sub {
        my $nginx = Codr::Nginx->new(workers => 2, @plain);
        ok($nginx->ready, 'up');
        ok(runs($nginx), 'a job runs');
        my ($keeper) = role($nginx, 'keeper');
        my $ws = $nginx->ws;
        $ws->execute(language => 'python',
            code => "print('on', flush=True)\ninput()");
        ok($ws->expect(qr/on/), 'another one waits for input');

        my ($pid) = role($nginx, $role);
        my $killed = time;
        kill KILL => $pid;
        ok(gone($pid), 'killed');
        ok(runs($nginx), 'the next job runs');
        my $took = time - $killed;
        cmp_ok($took, '<=', 3, 'soon');
        note(sprintf '%s: %.2f s', $role, $took);
        ok($nginx->ready(5), 'health: up');

        $ws->input("\n") if $role eq 'keeper';
        is($ws->finish->{status}, $role eq 'keeper' ? 'ok' : 'internal',
            'the running job knows how it ended');
        is_deeply([ role($nginx, 'keeper') ], [$keeper], 'the same keeper')
            if $role ne 'keeper';
        for my $name (qw(supervisor broker spawner)) {
            # for a while init looks like the spawner it is a clone of
            ok(wait_until(5, sub { role($nginx, $name) == 1 }), "one $name");
        }
        ok($nginx->reload, 'a reload');
        ok($nginx->ready && runs($nginx), 'is taken');
        $nginx->finish(expected => qr/broker|helper|supervisor|spawner/);
    };
}


subtest 'the supervisor is killed, again and again' => sub {
    my $nginx = Codr::Nginx->new(@plain);
    ok($nginx->ready, 'up');
    for (1 .. 3) {
        my ($pid) = supervisors($nginx);
        kill KILL => $pid;
        ok(gone($pid), 'killed');
        ok(wait_until(5, sub { supervisors($nginx) }), 'another one');
    }
    ok(runs($nginx), 'a job runs');
    $nginx->finish(expected => qr/supervisor|helper/);
};


subtest 'the keeper is told to end' => sub {
    my $nginx = Codr::Nginx->new(@plain);
    ok($nginx->ready, 'up');
    my ($keeper) = role($nginx, 'keeper');
    kill TERM => $keeper;
    ok(gone($keeper), 'it does');
    is_deeply($nginx->helpers, {}, 'after everybody else');
    ok($nginx->ready(5, sub { $_[0]{status} == 503 }), 'health: 503');
    ok($nginx->reload && $nginx->ready, 'a reload starts a new one');
    $nginx->finish;
};


subtest 'there is no helper' => sub {
    my $dir = Codr::Nginx::dir();
    my $nginx = Codr::Nginx->new(dir => $dir, helper => "spawn $dir/helper",
        @plain);
    ok(fine($nginx), 'nginx starts');
    like($nginx->log, qr/\[crit\].*"\Q$dir\E\/helper" does not exist/, 'said');
    my $health = $nginx->get('/status');
    is($health->{status}, 503, 'health says so');
    like("@{ $health->{json}{causes} }", qr/could not be started/, 'and why');
    is($nginx->post('/run', { language => 'python', code => '1' })
        ->{json}{code}, 'unavailable', 'jobs are unavailable');
    is($nginx->get('/languages')->{json}{languages}[0]{available},
        JSON::PP::false(), 'and languages');

    spew("$dir/helper", "not a program\n");
    chmod 0755, "$dir/helper";
    ok($nginx->reload, 'reload with what is no program');
    ok(fine($nginx), 'nginx goes on');
    like($nginx->log, qr/\[crit\].*start of helper ".*" failed \(8:/, 'said');

    unlink "$dir/helper";
    copy(build() . '/codr-sandboxd', "$dir/helper") or die $!;
    chmod 0755, "$dir/helper";
    ok($nginx->reload, 'reload with a helper');
    ok($nginx->ready, 'up');
    $nginx->finish(expected => qr/helper/);
};


subtest 'a helper that somebody else runs' => sub {
    my $dir = Codr::Nginx::dir();
    my $nginx = Codr::Nginx->new(dir => $dir, helper => "unix:$dir/none.sock",
        @plain);
    ok(fine($nginx), 'nginx starts without it');
    is_deeply([ supervisors($nginx) ], [], 'and starts none');
    is($nginx->get('/status')->{status}, 503, 'health says so');
    $nginx->finish;
};

# Uids that another instance holds are stepped over, whatever the broker hears
# first of a refused sandbox: the spawner's answer or the closed socket.
subtest 'two instances with the same uids' => sub {
    my @holders = (languages => 0, http => <<'CONF');
codr_language python {
    version /usr/bin/python3 --version;
    source  main.py;
    run     /usr/bin/python3 $source;
    warm    32;
}
CONF
    my $first = Codr::Nginx->new(@holders);
    ok($first->ready, 'one is up');
    ok(wait_until(60, sub { $first->ready_sandboxes >= 32 }),
        'and holds 32 uids') or diag($first->log);
    my $uids = join ' ', $first->uid_base, 100;

    for (1 .. 10) {
        my $second = Codr::Nginx->new(uids => $uids, path => 'shipped');
        ok($second->ready(60), 'another one is up');
        ok(runs($second), 'runs a program');
        unlike($second->log, qr/read answer of init|lease uid/,
            'and has no word about it');
        $second->finish;
    }
    ok(runs($first), 'so does the first one');
    $first->finish;
};


done_testing();
