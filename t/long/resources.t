# What the host has comes to its end, in one process after the other:
# descriptors, processes, disks of logs, of bodies, of /run.  Clients hear of
# an end, nginx and the helper go on, and when there is something again jobs
# run, without anybody's doing.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(build need slurp spew wait_until);
use Codr::Hygiene;
use Codr::Nginx;
use Codr::Phases qw(next_job_runs role);
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

need(qw(root module helper /usr/bin/prlimit /usr/bin/setpriv
    /usr/bin/unshare));

my $TIMEOUT = 60;

my %server = (languages => 0, location => 'codr_timeout 10s;',
    server => 'location /jobs { codr_jobs; codr_timeout 10s; }',
    http => <<'END');
codr_max_jobs 16 batch=8;
codr_queue 100 timeout=5s;
codr_language sh { source main.sh; run /bin/sh $source; }
END

my $nginx = Codr::Nginx->new(%server);
ok($nginx->ready && next_job_runs($nginx), 'a server');

sub descriptors_of { return scalar(() = glob "/proc/$_[0]/fd/*") }

# Gives a process this many descriptors more than it has, or all again.
sub allow {
    my ($pid, $more) = @_;
    my ($hard) = slurp("/proc/$pid/limits") =~ /^Max open files\s+\d+\s+(\d+)/m;
    my $limit = defined $more ? descriptors_of($pid) + $more : $hard;
    my $status = slurp("/proc/$pid/status");
    my ($uid) = $status =~ /^Uid:\s+(\d+)/m;
    my ($gid) = $status =~ /^Gid:\s+(\d+)/m;
    system('setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups',
        'prlimit', '--pid', $pid, "--nofile=$limit:$hard") == 0 or die;
}

sub open_files {
    my $helpers = $nginx->helpers;
    return map { my $pid = $_; "$helpers->{$pid}: ", join(' ', sort map {
        readlink($_) // '?' } glob "/proc/$pid/fd/*"), "\n" }
        sort keys %{$helpers};
}

sub said {
    my ($answer) = @_;
    return 'late' if $answer->{seconds} >= $TIMEOUT;
    return $answer->{json}{status} // $answer->{json}{code}
        // $answer->{status};
}

# A job on a socket that is there already, a request, an asynchronous one.
sub attempts {
    my ($ws) = @_;
    my $job = $ws->run_job(language => 'sh', code => 'echo on',
        timeout => $TIMEOUT);
    my @said = $job->{status} eq '(timeout)' ? 'late' : $job->{status};
    push @said, said($nginx->post('/run', { language => 'sh',
        code => 'echo on' }, timeout => $TIMEOUT));
    my $answer = $nginx->post('/jobs', { language => 'sh',
        code => 'echo on' }, timeout => $TIMEOUT);
    push @said, said($answer);
    return @said;
}

subtest 'descriptors' => sub {
    my %find = (
        worker     => sub { ($nginx->workers)[0] },
        map { my $role = $_; $role => sub { role($nginx, $role) } }
            qw(broker spawner supervisor),
    );
    for my $who (qw(worker broker spawner supervisor)) {
        my (@late, @stuck, %said);
        my @more = $who eq 'supervisor' ? (0, 3, 6) : (0 .. 12);
        my $before = Codr::Hygiene::descriptors($nginx);
        for my $more (@more) {
            my $ws = $nginx->ws;
            my $pid = $find{$who}->();
            allow($pid, $more);
            kill KILL => role($nginx, 'broker') if $who eq 'supervisor';
            my @got = attempts($ws);
            allow($pid) if -e "/proc/$pid";
            push @late, $more if grep { $_ eq 'late' } @got;
            $said{$_}++ for @got;
            $ws->drop;
            push @stuck, $more if !next_job_runs($nginx);
        }
        diag("$who: ", join ', ', map {"$_ $said{$_}"} sort keys %said);
        is("@late", '', "$who without descriptors: clients hear of an end");
        is("@stuck", '', 'afterwards jobs run');
        ok(wait_until(20, sub {
            Codr::Hygiene::descriptors($nginx) <= $before;
        }), 'nothing is left open') or diag(open_files());
    }
};

subtest 'processes' => sub {
    my $group = (grep { -w $_ } '/sys/fs/cgroup/pids', '/sys/fs/cgroup')[0];
    plan skip_all => 'no pids controller'
        if !$group || !-e "$group/cgroup.procs"
        || !mkdir "$group/test-$$" || !-e "$group/test-$$/pids.max";
    my $spawner = role($nginx, 'spawner');
    my $home = (slurp("/proc/$spawner/cgroup") =~ /pids:(.*)$/m)[0] // '/';
    spew("$group/test-$$/cgroup.procs", $spawner);
    my %said;
    for my $more (0 .. 2) {
        my $now = 0 + slurp("$group/test-$$/pids.current");
        spew("$group/test-$$/pids.max", $now + $more);
        my $ws = $nginx->ws;
        $said{$_}++ for attempts($ws);
        $ws->drop;
    }
    diag(join ', ', map {"$_ $said{$_}"} sort keys %said);
    ok(!$said{late}, 'without processes clients hear of an end');
    spew("$group/test-$$/pids.max", 'max');
    ok(next_job_runs($nginx), 'afterwards jobs run');
    ok(wait_until(20, sub { !$nginx->job_processes }), 'nothing is left');
    spew("$group$home/cgroup.procs", $_)
        for split ' ', slurp("$group/test-$$/cgroup.procs");
    ok(wait_until(10, sub { rmdir "$group/test-$$" }), 'the group is empty');
};

$nginx->finish(expected => qr/./);

# A small disk of its own, in a mount namespace of the server's.
sub on_disk {
    my ($where, $size, %o) = @_;
    my $dir = Codr::Nginx::dir();
    mkdir "$dir/disk";
    my $real = Codr::Host::nginx();
    spew("$dir/nginx", <<"END");
#!/bin/sh
exec /usr/bin/unshare -m --propagation private /bin/sh -c '
    mount -t tmpfs -o size=$size,mode=0755 disk "$where" || exit 1
    mkdir -p "$where/codr"; chmod 1777 "$where"
    @{[ $o{before} // '' ]}
    exec "\$0" "\$@"' $real "\$@"
END
    chmod 0755, "$dir/nginx";
    local $ENV{CODR_NGINX} = "$dir/nginx";
    delete $o{before};
    return Codr::Nginx->new(%server, dir => $dir, %o);
}

# Paths as the server sees them.
sub inside {
    my ($server, $path) = @_;
    return '/proc/' . $server->pid . "/root$path";
}

sub fill {
    my ($path) = @_;
    open my $file, '>', $path or return 0;
    my $block = 'x' x 4096;
    1 while syswrite $file, $block;
    my $full = $!{ENOSPC};
    close $file;
    return $full;
}

subtest 'the disk of logs and bodies' => sub {
    my $dir = Codr::Nginx::dir();
    mkdir "$dir/small";
    my $server = on_disk("$dir/small", '256k',
        http => "$server{http} access_log $dir/small/access.log;"
            . " codr_job_log $dir/small/job.log;",
        location => 'codr_timeout 10s; client_body_buffer_size 1k;'
            . " client_body_temp_path $dir/small/body;"
            . " error_log $dir/small/error.log debug;");
    ok($server->ready && next_job_runs($server), 'a server');
    ok(fill(inside($server, "$dir/small/fill")), 'its disk is full');
    my $ws = $server->ws;
    for (1 .. 5) {
        my $job = $ws->run_job(language => 'sh', code => 'echo on');
        is($job->{status}, 'ok', 'jobs run all the same');
    }
    my $answer = $server->post('/run', { language => 'sh', code => 'cat',
        stdin => 'x' x 50_000 });
    cmp_ok($answer->{status}, '>=', 500, 'a body without room is refused');
    is($answer->{seconds} < $TIMEOUT, 1, 'at once');
    is($ws->run_job(language => 'sh', code => 'echo on')->{status}, 'ok',
        'the others go on');
    unlink inside($server, "$dir/small/fill");
    $answer = $server->post('/run', { language => 'sh', code => 'cat',
        stdin => 'x' x 50_000 });
    is($answer->{json}{status}, 'ok', 'with room it is taken');
    like(slurp(inside($server, "$dir/small/job.log")), qr/\S/,
        'and lines are written');
    $server->finish(expected => qr/No space left/);
};

subtest '/run is full' => sub {
    my $server = on_disk('/run', '64k,nr_inodes=16', before =>
        'n=0; while [ $n -lt 99 ] && touch /run/f$n; do n=$((n + 1)); done'
        . ' 2>/dev/null;');
    ok(wait_until(20, sub {
        my $answer = $server->get('/status');
        my $cause = ($answer->{json}{causes} // [])->[0] // '';
        diag("/run is full: $cause") if $cause !~ /^(?:|.* starting)$/;
        return $answer->{status} == 503 && $cause !~ /^(?:|.* starting)$/;
    }), 'nginx is there, and says what is missing')
        or diag($server->get('/status')->{body});
    unlink glob inside($server, '/run/f*');
    ok($server->ready(60), 'with room it is healthy')
        or diag($server->get('/status')->{body});
    ok(next_job_runs($server), 'and jobs run');
    $server->finish(expected => qr/./);
};

# A helper of a service manager's, which has a listening socket.

subtest 'a listening socket' => sub {
    my $dir = Codr::Nginx::dir();
    my $base = 0x70000000 + 256 * 63000;
    my $socket = "$dir/helper.sock";
    spew("$dir/helper.conf", "codr_uids $base 256;\n"
        . "codr_language sh { source main.sh; run /bin/sh \$source; }\n");
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDERR, '>', "$dir/helper.log";
        exec build() . '/codr-sandboxd', '--config', "$dir/helper.conf",
            '--listen', $socket or POSIX::_exit(127);
    }
    ok(wait_until(20, sub { -S $socket }), 'it listens');
    my ($broker) = wait_until(20, sub {
        my ($pid) = grep { slurp("/proc/$_/cmdline")
            =~ /codr-sandboxd\x00broker\x00.*--uids\x00$base:/s }
            map {m{(\d+)$}} glob '/proc/[0-9]*';
        return $pid;
    });
    ok($broker, 'there is a broker') or (kill(TERM => $pid), return);
    allow($broker, 0);
    my $server = Codr::Nginx->new(%server, uids => 0,
        helper => "unix:$socket");
    wait_until(5, sub { $server->get('/status')->{json}{causes} });
    my $used = sub {
        my @stat = split ' ', slurp("/proc/$broker/stat") =~ s/^.*\)//sr;
        return ($stat[11] + $stat[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
    };
    my ($cpu, $start) = ($used->(), time);
    Time::HiRes::sleep(1);
    cmp_ok($used->() - $cpu, '<', 0.5 * (time - $start),
        'a broker that can accept nobody is quiet');
    allow($broker);
    ok($server->ready(30), 'and takes them when it can');
    ok(next_job_runs($server), 'jobs run');
    $server->finish(expected => qr/./);
    kill TERM => $pid;
    waitpid $pid, 0;
};

done_testing();
