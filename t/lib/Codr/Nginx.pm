package Codr::Nginx;

# A private nginx for a test: own prefix, port, uids of jobs; reload, upgrade,
# stop; and at the end a look at what it left behind.  Jobs of one test cannot
# be taken for those of another: the uid range follows the port.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(build slurp spew top wait_until);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Scalar::Util ();
use Test::More ();
use Time::HiRes ();

my $UID_BASE  = 0x70000000;
my $UID_COUNT = 256;
my $STOP_SECONDS = 10;

my @all;

# Starts it.  Options, all of them optional:
#
#   mode       foreground (default), daemon, single
#   workers    number of workers (1)
#   connections  of each of them (4096)
#   main events http server    directives of these levels
#   location   directives of the default "location = /run" beside codr_exec
#   locations  0: no default locations (/run, /languages, /status)
#   languages  0: conf/languages.conf is not included
#   path       where jobs' sandboxes come from: cold, pool, zygote
#              (CODR_TEST_PATH, cold), or shipped: as conf/languages.conf has
#              it
#   helper     argument of codr_helper ("spawn" and the build's helper)
#   uids       arguments of codr_uids; 0: the directive is left out
#   policy     arguments of codr_policy ("off": what tests run is meant to be
#              contained, not refused); 0: left out
#   allow      arguments of codr_allow_missing (CODR_ALLOW_MISSING, none)
#   auth       argument of codr_auth at http level ("off"); 0: left out
#   log        level of the error log (info)
#   listen     parameters of the listen directive ("ssl http2")
#   load       0: the module is not loaded
#   echo       1: so is the one of t/echo
#   dir        the prefix, where a test prepared one with dir()
#   user       of the workers (www-data)
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, owner => $$ }, $class;
    $self->{dir} //= dir();
    $self->{mode} //= 'foreground';
    for (1 .. 3) {
        $self->{port} = free_port();
        $self->write_conf;
        last if $self->_start;
        my $why = slurp("$self->{dir}/stderr.log") . $self->log;
        die "nginx did not start:\n$why" if $why !~ /Address already in use/;
    }
    push @all, $self;
    Scalar::Util::weaken($all[-1]);
    return $self;
}

# A directory for an nginx, removed at the end.
sub dir {
    my $dir = tempdir('codr-test-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;
    return $dir;
}

sub free_port {
    my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or die "no free port: $!";
    return $s->sockport;
}

# Writes the configuration; what is given replaces options of new().
sub write_conf {
    my ($self, %o) = @_;
    %{$self} = (%{$self}, %o);
    spew("$self->{dir}/nginx.conf", $self->conf);
}

sub _uids {
    my ($self) = @_;
    return $self->{uids} // join ' ', $self->uid_base, $UID_COUNT;
}

# The shipped languages, with ready sandboxes as the path says.
my %WARM = (cold => '', pool => 'warm 4;', zygote => 'warm 4;');

sub _languages {
    my ($self) = @_;
    my $path = $self->{path} // $ENV{CODR_TEST_PATH} // 'cold';
    my $text = slurp(top() . '/conf/languages.conf');
    if ($path ne 'shipped') {
        my $drop = $path eq 'zygote' ? 'warm' : 'warm|zygote|preload';
        $text =~ s/^\s*(?:$drop)\s[^;]*;//mg;
        $text =~ s/^(codr_language \w+ \{)/$1 $WARM{$path}/mg;
    }
    spew("$self->{dir}/languages.conf", $text);
    return "$self->{dir}/languages.conf";
}

sub uid_base { return $UID_BASE + $_[0]{port} * $UID_COUNT }

# The text of the configuration.
sub conf {
    my ($self) = @_;
    my %c = (main => '', events => '', http => '', server => '',
        location => '', locations => 1, languages => 1, listen => '',
        helper => 'spawn ' . build() . '/codr-sandboxd', auth => 'off',
        policy => 'off',
        allow => $ENV{CODR_ALLOW_MISSING} // '',
        log => 'info', load => 1, echo => 0, workers => 1,
        connections => 4096, user => 'www-data', %{$self});
    my ($dir, $top, $uids) = ($c{dir}, top(), $self->_uids);
    my $conf = '';
    $conf .= 'load_module ' . build() . "/ngx_http_codr_module.so;\n"
        if $c{load} && !$ENV{CODR_SANITIZER};
    $conf .= 'load_module ' . build()
        . "/nginx/ngx_http_codr_echo_module.so;\n"
        if $c{echo} && !$ENV{CODR_SANITIZER};
    $conf .= "user $c{user};\n" if $> == 0;
    $conf .= "env ASAN_OPTIONS;\n" if $ENV{CODR_SANITIZER};
    $conf .= <<"CONF";
daemon @{[ $c{mode} eq 'daemon' ? 'on' : 'off' ]};
master_process @{[ $c{mode} eq 'single' ? 'off' : 'on' ]};
worker_processes $c{workers};
pid $dir/nginx.pid;
error_log $dir/error.log $c{log};
$c{main}
events { worker_connections $c{connections}; $c{events} }
http {
    access_log $dir/access.log;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
CONF
    if ($c{load}) {
        $conf .= "    codr_helper $c{helper};\n" if $c{helper};
        $conf .= "    codr_uids $uids;\n" if $uids;
        $conf .= "    codr_allow_missing $c{allow};\n" if $c{allow};
        $conf .= "    codr_auth $c{auth};\n" if $c{auth};
        $conf .= "    codr_policy $c{policy};\n" if $c{policy};
        $conf .= '    include ' . $self->_languages . ";\n"
            if $c{languages};
    }
    $conf .= "    $c{http}\n    server {\n"
        . "        listen 127.0.0.1:$c{port} $c{listen};\n";
    $conf .= <<"CONF" if $c{load} && $c{locations};
        location = /run { codr_exec; $c{location} }
        location = /languages { codr_languages; }
        location = /status { codr_status health; }
CONF
    return "$conf        $c{server}\n    }\n}\n";
}

sub _command {
    my ($self, @more) = @_;
    return (Codr::Host::nginx(), '-e', "$self->{dir}/error.log",
        '-p', "$self->{dir}/", '-c', "$self->{dir}/nginx.conf", @more);
}

sub _spawn {
    my ($self, @command) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    $SIG{$_} = 'DEFAULT' for qw(INT TERM PIPE HUP QUIT USR1 USR2 WINCH CHLD);
    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', "$self->{dir}/stderr.log";
    open STDERR, '>&', \*STDOUT;
    $ENV{ASAN_OPTIONS} = 'detect_leaks=0' if $ENV{CODR_SANITIZER};
    exec @command or POSIX::_exit(127);
}

sub _start {
    my ($self) = @_;
    my $child = $self->_spawn($self->_command);
    if ($self->{mode} eq 'daemon') {
        waitpid $child, 0;
        return 0 if $?;
    } else {
        $self->{child} = $child;
    }
    return wait_until(15, sub {
        if ($self->{child} && waitpid($child, POSIX::WNOHANG()) == $child) {
            delete $self->{child};
            die "nginx ended at its start:\n" . $self->log
                . slurp("$self->{dir}/stderr.log")
                if $self->log !~ /Address already in use/;
            return -1;
        }
        return unless -s "$self->{dir}/nginx.pid";
        $self->{pid} = 0 + slurp("$self->{dir}/nginx.pid");
        return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}")
            ? 1 : 0;
    }) && $self->{pid};
}

# `nginx -t` on a configuration as new() takes it: (succeeded, what it said).
sub check {
    my ($class, %o) = @_;
    my $self = bless { port => 9, dir => dir(), mode => 'foreground', %o,
        owner => 0 }, $class;
    $self->write_conf;
    my $pid = $self->_spawn($self->_command('-t'));
    local $?;
    waitpid $pid, 0;
    return ($? == 0, slurp("$self->{dir}/stderr.log"));
}


# Looking at it.

sub port { return $_[0]{port} }
sub pid  { return $_[0]{pid} }
sub path { return "$_[0]{dir}/$_[1]" }
sub log  { return slurp("$_[0]{dir}/error.log") }
sub access_log { return slurp("$_[0]{dir}/access.log") }

# True as soon as the error log matches.
sub wait_log {
    my ($self, $pattern, $seconds) = @_;
    return wait_until($seconds // 10, sub { $self->log =~ $pattern });
}

# Answers of /status, until the helper is up or what is asked for is true.
sub ready {
    my ($self, $seconds, $true) = @_;
    $true //= sub { $_[0]{status} == 200 };
    return wait_until($seconds // 15, sub {
        my $answer = $self->get('/status', timeout => 2);
        return $true->($answer) ? $answer : undef;
    });
}

sub _children {
    my ($parent) = @_;
    return grep { (slurp("/proc/$_/stat") =~ /^\d+ \(.*\) \S (\d+)/s
            ? $1 : 0) == $parent }
        map {m{(\d+)$}} glob '/proc/[0-9]*';
}

sub workers {
    my ($self, $pid) = @_;
    return grep { slurp("/proc/$_/cmdline") =~ /^nginx: worker process/ }
        _children($pid // $self->{pid});
}

# Processes of this nginx's helper: pid => role.  Each has the uid range in its
# arguments.
sub helpers {
    my ($self) = @_;
    my $base = $self->uid_base;
    my %roles;
    for my $dir (glob '/proc/[0-9]*') {
        my ($pid) = $dir =~ /(\d+)/;
        my ($name, $role, @rest) = split /\0/, slurp("$dir/cmdline");
        $roles{$pid} = $role if ($name // '') =~ m{(?:^|/)codr-sandboxd$}
            && "@rest" =~ /--uids $base\b/;
    }
    return \%roles;
}

# What the helper holds open (terminals, sockets, job files), as a number.
sub helper_descriptors {
    my ($self) = @_;
    return scalar map { glob "/proc/$_/fd/*" } keys %{ $self->helpers };
}

# Pids of processes of jobs: of what runs in sandboxes, those that do not wait
# for a job.
sub job_processes {
    my ($self) = @_;
    return grep { !_waits($_) } $self->sandbox_processes;
}

# Pids of all that waits for a job: inits, and what they have started ahead.
sub ready_processes {
    my ($self) = @_;
    return grep { _waits($_) } $self->sandbox_processes;
}

# Pids of the inits of sandboxes that wait for a job.
sub ready_sandboxes {
    my ($self) = @_;
    return grep { _is_ready($_) && !_is_ready(_parent($_)) }
        $self->sandbox_processes;
}

# Pids of zygotes, of which sandboxes are clones; those bear the same name
# until they have another.
sub zygotes {
    my ($self) = @_;
    return grep { _name($_) eq 'codr-zygote'
        && slurp("/proc/$_/status") =~ /^NSpid:\s+\d+$/m }
        $self->_own_processes;
}

# Pids of the validator, and of those that wait for a source.
sub validators {
    my ($self) = @_;
    my $base = $self->uid_base;
    my %parent;
    for my $dir (glob '/proc/[0-9]*') {
        my $line = join ' ', split /\0/, slurp("$dir/cmdline");
        next if $line !~ /^\S*codr-validator serve .*--uid $base\b/;
        my ($pid) = $dir =~ /(\d+)$/;
        ($parent{$pid}) = slurp("$dir/status") =~ /^PPid:\s+(\d+)/m;
    }
    my ($role) = grep { !exists $parent{ $parent{$_} // 0 } } keys %parent;
    return ($role // (), grep { $_ != ($role // 0) } keys %parent);
}

# Stops all who check, and who would take the place of those: no verdict comes.
# Their pids, which go on with CONT.
sub hold_validators {
    my ($self) = @_;
    my %held;
    while (my @more = grep { !$held{$_} } $self->validators) {
        kill STOP => @more;             # others may have come meanwhile
        $held{$_} = 1 for @more;
    }
    return keys %held;
}

# Pids of whatever is in a sandbox.
sub sandbox_processes {
    my ($self) = @_;
    return grep { _name($_) ne 'codr-zygote' } $self->_own_processes;
}

sub _name { return slurp("/proc/$_[0]/comm") =~ s/\n//r }

sub _parent { return slurp("/proc/$_[0]/stat") =~ /\) \S (\d+)/ ? $1 : 0 }

sub _is_ready { return _name($_[0]) eq 'codr-ready' }

# What has been started ahead may bear its own name until it comes to wait.
sub _waits { return _is_ready($_[0]) || _is_ready(_parent($_[0])) }

# Pids of processes that run with a uid of this nginx's jobs; without root they
# have none of their own, and are the descendants of the spawner.
sub _own_processes {
    my ($self) = @_;
    return $self->_descendants if $> != 0;
    my $base = $self->uid_base;
    return grep {
        my ($uid) = slurp("/proc/$_/status") =~ /^Uid:\s+(\d+)/m;
        defined $uid && $uid > $base && $uid < $base + $UID_COUNT;
    } map {m{(\d+)$}} glob '/proc/[0-9]*';
}


sub _descendants {
    my ($self) = @_;
    my $helpers = $self->helpers;
    my @left = grep { $helpers->{$_} eq 'spawner' } keys %{$helpers};
    my @found;
    while (defined(my $pid = shift @left)) {
        my @children = _children($pid);
        push @left,  @children;
        push @found, @children;
    }
    return @found;
}


# Talking to it.

sub get {
    my ($self, $path, %o) = @_;
    return Codr::Client->request(port => $self->{port}, path => $path, %o);
}

# A POST; a hash as body becomes JSON.
sub post {
    my ($self, $path, $body, %o) = @_;
    $body = Codr::Client::encode($body) if ref $body;
    return Codr::Client->request(port => $self->{port}, path => $path,
        method => 'POST', body => $body, timeout => 60, %o,
        headers => [ 'Content-Type: application/json',
            @{ $o{headers} // [] } ]);
}

sub ws {
    my ($self, %o) = @_;
    return Codr::Client->open(port => $self->{port}, %o);
}

# One job on a socket of its own; the answer of Codr::Client::finish.
sub run_job {
    my ($self, %message) = @_;
    my %o = map { $_ => delete $message{$_} }
        grep { exists $message{$_} } qw(path headers protocols);
    return $self->ws(%o)->run_job(%message);
}


# Changing it.

sub signal { return kill $_[1] => $_[2] // $_[0]{pid} }

# Reloads, with a new configuration where options are given, and returns when
# a new worker is there and the old ones accept no more; false when not.
sub reload {
    my ($self, %o) = @_;
    $self->write_conf(%o) if %o;
    wait_until(10, sub { scalar $self->workers });  # the first ones are old
    my %old = map { $_ => 1 } $self->workers;
    kill HUP => $self->{pid};
    return wait_until(10, sub {
        my @now = $self->workers;
        my $accepting = grep { $old{$_}
            && slurp("/proc/$_/cmdline") !~ /is shutting down/ } @now;
        return !$accepting && grep { !$old{$_} } @now;
    });
}

# A new executable by USR2: the pid of the new master, or undef.  The old one
# goes on until quit_old().
sub upgrade {
    my ($self) = @_;
    kill USR2 => $self->{pid};
    my $new = wait_until(10, sub {
        my $pid = 0 + (slurp("$self->{dir}/nginx.pid") || 0);
        return $pid != $self->{pid} && -e "$self->{dir}/nginx.pid.oldbin"
            && $self->workers($pid) ? $pid : 0;
    }) or return;
    ($self->{old}, $self->{pid}) = ($self->{pid}, $new);
    return $new;
}

sub quit_old {
    my ($self) = @_;
    my $old = $self->{old};
    kill QUIT => $old;
    return $self->_wait_gone($old, $STOP_SECONDS);
}

sub _wait_gone {
    my ($self, $pid, $seconds) = @_;
    return wait_until($seconds, sub {
        if ($self->{child} && $pid == $self->{child}) {
            local $?;
            waitpid($pid, POSIX::WNOHANG()) == $pid or return 0;
            delete $self->{child};
            return 1;
        }
        return !kill 0, $pid;
    });
}

# Stops it gracefully (or by the signal) and returns what must not be: alerts
# in the log, sanitizer reports, a late end, processes that stayed.
sub stop {
    my ($self, $signal) = @_;
    my $pid = delete $self->{pid} or return;
    my @problems;
    kill $signal // 'QUIT', $pid;
    if (!$self->_wait_gone($pid, $STOP_SECONDS)) {
        push @problems, "the stop took over $STOP_SECONDS s";
        kill KILL => $pid, $self->workers($pid);
        $self->_wait_gone($pid, 5);
    }
    push @problems, $self->_left;
    # nginx itself, of which the path is src/, loads what is not aligned
    push @problems, grep {
        /\[(?:alert|emerg|crit)\]|Sanitizer|^(?!src\/).*runtime error:/
            && !($self->{expected} && /$self->{expected}/)
    } split /^/, $self->log . slurp("$self->{dir}/stderr.log");
    return @problems;
}

sub _left {
    my ($self) = @_;
    my (%helpers, @jobs);
    wait_until(5, sub {
        %helpers = %{ $self->helpers };
        @jobs = $self->_own_processes;
        return !%helpers && !@jobs;
    });
    kill KILL => keys %helpers, @jobs if %helpers || @jobs;
    return ((map {"$helpers{$_} $_ is still there"} sort keys %helpers),
        map {"process $_ of a job is still there"} @jobs);
}

# Stops it and passes or fails one test for it.  Log lines that match are not
# counted as alerts.
sub finish {
    my ($self, %o) = @_;
    $self->{expected} = $o{expected};
    my @problems = $self->stop($o{signal});
    Test::More::ok(!@problems, 'nginx stops and leaves nothing behind')
        or Test::More::diag(@problems);
    return !@problems;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@, $!);
    $self->stop if $self->{pid};
}

END {
    local $?;
    for (@all) {
        next if !$_ || !$_->{pid} || $_->{owner} != $$;
        Test::More::diag("nginx was stopped by the end of the test",
            $_->stop);
    }
}

1;
