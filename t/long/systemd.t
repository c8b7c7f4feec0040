# Under systemd: nginx's own unit with a helper that it starts itself, and the
# helper as the service of conf/systemd.  A whole boot inside Debian's
# user-mode-linux, with this machine's files, read-only, as its root.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(build need slurp spew top wait_until);
use Codr::Nginx;
use Codr::Uml;
use Test::More;

if ($ENV{CODR_INNER}) {
    inner();
    done_testing();
    exit;
}

need(qw(plain root uml module helper));
plan(skip_all => 'no systemd') if !-x '/lib/systemd/systemd';

my $SECONDS = 280;


# Outside: the boot.

my $dir = Codr::Nginx::dir();
my ($top, $build, $nginx) = (top(), build(), Codr::Host::nginx());
mkdir "$dir/$_" or die "mkdir: $!"
    for qw(units units/nginx.service.d units/codr-sandbox.service.d);

# Nothing of this machine's own start-up.
my @masked = qw(
    systemd-tmpfiles-setup.service systemd-tmpfiles-setup-dev.service
    systemd-udevd.service systemd-udev-trigger.service
    systemd-sysctl.service systemd-modules-load.service
    systemd-random-seed.service systemd-journal-flush.service
    systemd-update-utmp.service systemd-timesyncd.service
    systemd-remount-fs.service systemd-logind.service dbus.service
    dbus.socket swap.target local-fs.target network-online.target
    getty.target
);
symlink '/dev/null', "$dir/units/$_" for @masked;

spew("$dir/units/nginx.service.d/test.conf", <<"END");
[Unit]
After=
Wants=

[Service]
ExecStartPre=
ExecStartPre=$nginx -t -q -c $dir/nginx.conf
ExecStart=
ExecStart=$nginx -c $dir/nginx.conf
ExecReload=
ExecReload=$nginx -c $dir/nginx.conf -s reload
END
spew("$dir/units/codr-sandbox.socket",
    slurp("$top/conf/systemd/codr-sandbox.socket"));
spew("$dir/units/codr-sandbox.service",
    slurp("$top/conf/systemd/codr-sandbox.service.in")
        =~ s{\@HELPER\@}{$build/codr-sandboxd}r
        =~ s{\@CONF\@}{$dir/sandboxd.conf}r);
spew("$dir/units/codr-test.service", <<"END");
[Unit]
Description=The tests
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
Environment=CODR_BUILD=$build CODR_NGINX=$nginx CODR_INNER=1 CODR_SLOW=10
Environment=TMPDIR=/mnt LANG=C.UTF-8
WorkingDirectory=$top
ExecStart=/usr/bin/perl -It/lib t/long/systemd.t
StandardOutput=file:/dev/console
StandardError=inherit
TimeoutStartSec=260
END
spew("$dir/units/codr-test.target", <<'END');
[Unit]
Description=Nothing but the tests
Requires=codr-test.service
After=codr-test.service
END

my $languages = <<'END';
codr_language sh { source main.sh; run /bin/sh $source; }
codr_allow_missing landlock;
END
spew("$dir/sandboxd.conf", "codr_peer www-data;\n$languages");
spew("$dir/nginx.conf", <<"END");
load_module $build/ngx_http_codr_module.so;
user www-data;
pid /run/nginx.pid;
error_log /run/codr-test.log info;
events { }
http {
    access_log off;
    client_body_temp_path /mnt/b; proxy_temp_path /mnt/p;
    fastcgi_temp_path /mnt/f; uwsgi_temp_path /mnt/u; scgi_temp_path /mnt/s;
    codr_auth off;
    codr_policy off;
    $languages
    server {
        listen 127.0.0.1:8080;
        location = /run { codr_exec; }
        location = /health { codr_status health; }
        location = /other { return 200 other; }
    }
}
END
spew("$dir/init", <<"END");
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs tmp /mnt
mount -t tmpfs log /var/log
mount -t tmpfs etc /etc/systemd/system
mkdir -p /run/systemd/system
cp -a '$dir'/units/* /run/systemd/system/
ip link set lo up
exec /lib/systemd/systemd --unit=codr-test.target --show-status=0 \\
    --log-target=kmsg --log-level=warning
END
chmod 0755, "$dir/init";

my $console = Codr::Uml::boot(dir => $dir, seconds => $SECONDS,
    arguments => [ 'mem=512M', 'ro' ]);

my ($plan, @words);
while (my $line = <$console>) {
    $line =~ s/\r?\n$//;
    push @words, $line;
    if ($line =~ /^(not )?ok \d+ - (.*)$/) {
        ok(!$1, $2);
    } elsif ($line =~ /^1\.\.(\d+)$/) {
        $plan = $1;
    } elsif ($line =~ /^#/) {
        diag($line);
    }
}
close $console;
ok($plan, 'all of it ran') or diag(join "\n", @words,
    slurp("$dir/stderr.log"));
done_testing();


# Inside.

sub systemctl {
    my $said = `systemctl --no-pager @_ 2>&1`;
    diag($said) if $?;
    return $? == 0;
}

sub property {
    my ($unit, $name) = @_;
    chomp(my $value = `systemctl show --value -p $name $unit 2>&1`);
    return $value;
}

sub post {
    my ($code, $timeout) = @_;
    my $answer = eval { Codr::Client->request(port => 8080, path => '/run',
        method => 'POST', headers => ['Content-Type: application/json'],
        body => Codr::Client::encode({ language => 'sh', code => $code }),
        timeout => $timeout // 30) };
    return $answer // { status => 0, body => $@ };
}

sub answers {
    my ($name) = @_;
    my $answer;
    ok(wait_until(60, sub {
        $answer = post('echo $((6 * 7))');
        $answer->{status} == 200 && $answer->{json}{stdout} eq "42\n";
    }), $name) or diag($answer->{body}, slurp('/run/codr-test.log'),
        scalar `systemctl --no-pager status 2>&1`);
}

# Processes of ours, by role.
sub helpers {
    return grep { (readlink("/proc/$_/exe") // '') =~ /codr-sandboxd/ }
        map {m{(\d+)$}} glob '/proc/[0-9]*';
}

sub groups {
    return grep {-d} glob '/sys/fs/cgroup/codr.slice/*';
}

sub inner {
    plan(skip_all => 'no cgroup v2') if !-f '/sys/fs/cgroup/cgroup.procs';

    # nginx's own unit, the helper its child.
    ok(systemctl('start nginx'), 'nginx starts');
    answers('and with it a helper');
    ok(helpers() > 0, 'which is there');
    is(scalar(groups()), 1, 'its jobs have a scope in codr.slice')
        or diag(scalar `systemd-cgls 2>&1`);

    my $ws = Codr::Client->open(port => 8080, path => '/run');
    $ws->execute(language => 'sh', code => 'echo on; read x; echo $x',
        tty => JSON::PP::false());
    ok($ws->expect(qr/on/), 'a job runs');
    ok(systemctl('reload nginx'), 'nginx is reloaded');
    answers('and answers');
    $ws->input("still\n");
    like($ws->finish->{stdout}, qr/still/, 'the job has not noticed');

    my %before = map { $_ => 1 } helpers();
    ok(systemctl('restart nginx'), 'nginx is restarted');
    answers('and has a helper again');
    ok(!(grep { $before{$_} } helpers()), 'a new one');
    is(scalar(groups()), 1, 'with a scope, the only one');

    ok(systemctl('stop nginx'), 'nginx is stopped');
    ok(wait_until(30, sub { helpers() == 0 && groups() == 0 }),
        'nothing is left of the helper') or diag(scalar `systemd-cgls 2>&1`);

    # The helper's.
    ok(systemctl('start codr-sandbox.socket'), 'the socket is there');
    ok(-S '/run/codr/sandbox.sock', 'where nginx looks');
    is(property('codr-sandbox.service', 'ActiveState'), 'inactive',
        'nobody serves it yet');
    ok(systemctl('start nginx'), 'nginx starts');
    answers('and finds it');
    is(property('codr-sandbox.service', 'ActiveState'), 'active',
        'the helper has been started by that');
    is(scalar(groups()), 1, 'and has its scope');

    my $main = property('codr-sandbox.service', 'MainPID');
    ok(systemctl('restart nginx'), 'nginx is restarted');
    answers('and answers');
    is(property('codr-sandbox.service', 'MainPID'), $main,
        'the helper has not noticed');

    ok(systemctl('reload codr-sandbox'), 'the helper is reloaded');
    answers('and serves');
    is(property('codr-sandbox.service', 'MainPID'), $main, 'as the same');

    ok(systemctl('restart codr-sandbox'), 'it is restarted');
    answers('and serves');
    isnt(property('codr-sandbox.service', 'MainPID'), $main, 'as another');

    $main = property('codr-sandbox.service', 'MainPID');
    kill KILL => $main;
    ok(wait_until(60, sub {
        my $pid = property('codr-sandbox.service', 'MainPID');
        $pid != 0 && $pid != $main;
    }), 'killed, it comes back');
    answers('and serves');
    ok(wait_until(30, sub { groups() == 1 }), 'what was its is cleaned up')
        or diag(scalar `systemd-cgls 2>&1`);

    ok(systemctl('stop codr-sandbox.socket codr-sandbox.service'),
        'both are stopped');
    ok(!-e '/run/codr/sandbox.sock', 'the socket is gone');
    ok(wait_until(30, sub { helpers() == 0 && groups() == 0 }),
        'and all that was behind it') or diag(scalar `systemd-cgls 2>&1`);
    is(Codr::Client->request(port => 8080, path => '/other')->{body}, 'other',
        'nginx and its other locations run');
    ok(wait_until(30, sub {
        Codr::Client->request(port => 8080, path => '/health')->{status}
            == 503;
    }), 'health says it');

    ok(systemctl('restart nginx'), 'nginx is restarted');
    answers('and starts a helper of its own');
    ok(systemctl('stop nginx'), 'the end');
}
