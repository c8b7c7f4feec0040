# One process of the helper after the other has no memory left in its cgroup,
# or may have no more processes: clients hear of an end, and jobs run again
# without anybody's doing.

use strict;
use warnings;

use Codr::Host qw(need slurp spew wait_until);
use Codr::Hygiene;
use Codr::Nginx;
use Codr::Phases qw(role);
use JSON::PP ();
use Test::More;

need(qw(root module helper plain /usr/bin/prlimit /usr/bin/python3
    /usr/bin/setpriv));

my $ROOM    = 256 << 10;    # bytes: less than anything takes
my $TIMEOUT = 60;

my $nginx = Codr::Nginx->new(languages => 0, http => <<'END',
codr_language python {
    version /usr/bin/python3 --version;
    source main.py; run /usr/bin/python3 $source; warm 2; zygote python;
    grammar python; policy python;
}
codr_language sh { source main.sh; run /bin/sh $source; }
codr_timeout 20s;
codr_output 32m;
END
    policy => 'block standard', server => 'location /jobs { codr_jobs; }');
ok($nginx->ready, 'the server is ready');

my $serial = 0;

sub said {
    my ($answer) = @_;
    my $json = $answer->{json} // {};
    return $answer->{seconds} >= $TIMEOUT ? 'late'
        : $json->{result}{status} // $json->{code} // $json->{status}
        // $answer->{status};
}

sub run {
    my ($language, $code) = @_;
    return said($nginx->post('/run', { language => $language,
        code => $code }, timeout => $TIMEOUT));
}

# One whose output is kept, and not sent.
sub keep {
    my ($language, $code) = @_;
    my $answer = $nginx->post('/jobs', { language => $language,
        code => $code }, timeout => $TIMEOUT);
    my $id = $answer->{json}{job_id};
    return said($answer) if !defined $id;
    my $said;
    my $end = time + $TIMEOUT;
    do {    # who waits is answered when the helper ends, too
        $said = said($nginx->get("/jobs/$id?wait=10s", timeout => $TIMEOUT));
    } while ($said =~ /^(?:queued|processing)$/ && time < $end);
    return $said =~ /^(?:queued|processing)$/ ? 'late' : $said;
}

# What clients are told: of a program that is checked, and cloned where that is
# possible; of one with much output, which is kept.
sub attempts {
    return (run('python', 'print("x" * 1000)  # ' . ++$serial),
        keep('python', 'print("x" * 8000000)  # ' . ++$serial),
        run('sh', 'echo on'));
}

sub runs_again {
    return wait_until(60, sub { "@{[ attempts() ]}" eq 'ok ok ok' })
        && wait_until(60, sub {
            my $answer = $nginx->post('/run', { language => 'python',
                code => '# ' . ++$serial }, timeout => $TIMEOUT);
            return ($answer->{json}{path} // '') eq 'zygote';
        });
}

sub validator {
    my $supervisor = role($nginx, 'supervisor') or return;
    my ($pid) = grep {
        slurp("/proc/$_/cmdline") =~ /codr-validator/
            && slurp("/proc/$_/stat") =~ /^\d+ \(.*\) \S $supervisor /s
    } map {m{(\d+)$}} glob '/proc/[0-9]*';
    return $pid;
}

my %find = (
    validator => \&validator,
    zygote    => sub { ($nginx->zygotes)[0] },
    map { my $role = $_; $role => sub { role($nginx, $role) } }
        qw(broker spawner supervisor keeper),
);

# Runs the code while a process lacks something; what has to be given back.
sub starve {
    my ($who, $take, $give) = @_;
    my $pid = wait_until(30, $find{$who}) // 0;
    return ok($pid, "there is a $who") if !$pid;
    my $before = Codr::Hygiene::descriptors($nginx);
    my @what = $take->($pid);
    my @said = map { attempts() } 1 .. 2;
    $give->($pid, @what);
    my %said;
    $said{$_}++ for @said;
    diag("$who: ", join ', ', map {"$_ $said{$_}"} sort keys %said);
    ok(!$said{late}, "$who: clients hear of an end");
    ok(runs_again(), "$who: afterwards all is as ever")
        or diag(join ' ', attempts());
    ok(wait_until(20, sub {
        !$nginx->job_processes
            && Codr::Hygiene::descriptors($nginx) <= $before + 8;
    }), "$who: nothing is left") or diag($before, ' then ',
        Codr::Hygiene::descriptors($nginx));
}

ok(runs_again(), 'jobs are clones, and checked');

subtest 'memory' => sub {
    my ($tree, $limit) = -w '/sys/fs/cgroup/memory/cgroup.procs'
        ? ('/sys/fs/cgroup/memory', 'memory.limit_in_bytes')
        : ('/sys/fs/cgroup', 'memory.max');
    my $group = "$tree/codr-test-$$";
    mkdir $group;
    if (!-e "$group/$limit") {
        rmdir $group;
        plan skip_all => 'no memory controller';
    }
    for my $who (qw(broker validator zygote spawner supervisor keeper)) {
        starve($who, sub {
            my ($pid) = @_;
            my ($home) = slurp("/proc/$pid/cgroup")
                =~ /^\d+:(?:|[^:]*\bmemory\b[^:]*):(.*)$/m;
            spew("$group/cgroup.procs", $pid);
            spew("$group/$limit", $ROOM);
            return $home;
        }, sub {
            my (undef, $home) = @_;
            spew("$group/$limit", -1) if $limit =~ /bytes/;
            spew("$group/$limit", 'max') if $limit !~ /bytes/;
            spew("$tree$home/cgroup.procs", $_)
                for split ' ', slurp("$group/cgroup.procs");
        });
    }
    ok(wait_until(20, sub {
        spew("$tree/cgroup.procs", $_)
            for split ' ', slurp("$group/cgroup.procs");
        rmdir $group;
    }), 'the group is empty');
};

sub prlimit {
    my ($pid, $soft, $hard) = @_;
    my $status = slurp("/proc/$pid/status");
    my ($uid) = $status =~ /^Uid:\s+(\d+)/m;
    my ($gid) = $status =~ /^Gid:\s+(\d+)/m;
    system('setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups',
        'prlimit', '--pid', $pid, "--nproc=$soft:$hard");
}

# A limit of processes binds whoever is not root, and what root starts, once it
# is somebody.  (Those whom the supervisor starts would keep it.)
subtest 'processes' => sub {
    for my $who (qw(validator zygote spawner)) {
        starve($who, sub {
            my ($pid) = @_;
            my ($soft, $hard) = slurp("/proc/$pid/limits")
                =~ /^Max processes\s+(\d+|unlimited)\s+(\d+|unlimited)/m;
            prlimit($pid, 0, $hard);
            return ($soft, $hard);
        }, sub {
            my ($pid, $soft, $hard) = @_;
            prlimit($pid, $soft, $hard) if -e "/proc/$pid";
        });
    }
};

$nginx->finish(expected => qr/codr: /);
done_testing();
