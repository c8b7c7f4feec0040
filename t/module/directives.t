# Every directive: what it accepts, what it refuses with which words and line,
# and what a location inherits.

use strict;
use warnings;

use Codr::Host qw(build need slurp spew);
use Codr::Nginx;
use Test::More;

need(qw(module));

my $dir = Codr::Nginx::dir();
my $mark = '# here';

# `nginx -t` with a text at a level; the line that ends in the mark is the one
# that a message must name.
sub check {
    my ($level, $text, %o) = @_;
    unlink "$dir/stderr.log";
    my ($ok, $said) = Codr::Nginx->check(dir => $dir, languages => 0,
        locations => 0, uids => 0, helper => 0, auth => 0, policy => 0,
        $level => "\n$text $mark\n", %o);
    my $line = 0;
    for (split /\n/, slurp("$dir/nginx.conf")) {
        $line++;
        last if /\Q$mark\E$/;
    }
    return ($ok, $said, $line);
}

sub accepts {
    my ($level, $text, %o) = @_;
    my ($ok, $said) = check($level, $text, %o);
    ok($ok && $said !~ /\[(?:warn|error|crit|alert)\]/, "accepts $text")
        or diag $said;
}

sub refuses {
    my ($level, $text, $why, %o) = @_;
    my ($ok, $said, $line) = check($level, $text, %o);
    my $where = $o{no_line} ? '' : " in $dir/nginx.conf:$line";
    ok(!$ok && $said =~ /\[emerg\] [^\n]*$why[^\n]*\Q$where\E\n/,
        "refuses $text") or diag $said;
}

my $c = 'codr_language c { source main.c; compile cc -o $program $sources;'
    . ' run $program; }';
my $open = 'location /x { codr_exec; codr_auth off; }';


subtest 'one content handler' => sub {
    my $proxy = 'proxy_pass http://127.0.0.1:9;';
    my $exec = 'codr_auth off; codr_exec;';
    refuses(server => "location /x { $exec $proxy }",
        'another content handler stands beside the one of codr', http => $c);
    refuses(server => "location /x { $proxy $exec }",
        '"codr_exec" directive stands beside another content handler',
        http => $c);
    accepts(server => "location /x { $exec location /x/y { $proxy } }",
        http => $c);
};


subtest 'http level' => sub {
    accepts(http => $_) for
        'codr_helper auto;', 'codr_helper spawn;', 'codr_helper unix:/run/x;',
        'codr_helper spawn /usr/bin/true;', 'codr_redis off;',
        'codr_uids 200000;', 'codr_uids 200000 2;', 'codr_uids 200000 65536;',
        'codr_user nobody;',
        'codr_cgroup /sys/fs/cgroup/x;',
        'codr_total memory=50%;', 'codr_total memory=2g cpu=1.5;',
        'codr_total cpu=0.001;',
        'codr_allow_missing cgroup;', 'codr_allow_missing uids landlock;',
        'codr_zone codr:32m;', 'codr_zone x:512k;', 'codr_zone codr:1g;',
        'codr_max_jobs auto;', 'codr_max_jobs 10;', 'codr_max_jobs 1 batch=8;',
        'codr_max_jobs auto compile=2 batch=3;',
        'codr_max_jobs 10 batch=auto compile=auto;', 'codr_ast_nodes 50000;',
        'codr_queue 0;', 'codr_queue 100 timeout=5s;',
        'codr_compile_cache 1g;', 'codr_compile_cache 0;',
        'codr_compile_cache off;', 'codr_compile_cache 64m shared;',
        'codr_results 64k;', 'codr_results 1g;', 'codr_job_ttl 1s;',
        'codr_job_ttl 30d;',
        'codr_bind /srv/data;', 'codr_bind /srv/data /data;',
        'codr_bind /opt/a; codr_bind /opt/b;';

    refuses(http => @{$_}) for
        [ 'codr_max_jobs 1 batch=auto batch=2;', 'invalid value "batch=2"' ],
        [ 'codr_timeout 5s max=1s;', '"max" must not be less than the time' ],
        [ 'codr_ast_nodes 0;', 'invalid value "0" in "codr_ast_nodes"' ],
        [ 'codr_ast_nodes 1; codr_ast_nodes 2;', 'is duplicate' ],
        [ 'codr_origin ftp://a;', 'invalid value "ftp://a" in "codr_origin"' ],
        [ 'codr_policy off strict;',
            'invalid value "strict" in "codr_policy"' ],
        [ 'codr_helper x;', 'invalid value "x" in "codr_helper"' ],
        [ 'codr_helper auto x;', 'invalid value "x"' ],
        [ 'codr_helper unix:x;', 'invalid value "unix:x"' ],
        [ 'codr_helper unix:/' . 'x' x 200 . ';', 'too long path' ],
        [ 'codr_helper spawn /tmp;', '"/tmp" in "codr_helper" is not a regular'
            . ' file' ],
        [ 'codr_helper auto; codr_helper auto;',
            '"codr_helper" directive is duplicate' ],
        [ 'codr_uids 0;', 'invalid value "0" in "codr_uids", it must be from'
            . ' 1000 to' ],
        [ 'codr_uids 999;', 'invalid value "999"' ],
        [ 'codr_uids x;', 'invalid value "x"' ],
        [ 'codr_uids 4294967295;', 'invalid value' ],
        [ 'codr_uids 200000 1;', 'invalid value "1" in "codr_uids"' ],
        [ 'codr_uids 200000 65537;', 'invalid value "65537"' ],
        [ 'codr_uids 65000 1000;', 'contains the uid 65534' ],
        [ 'codr_cgroup x;', 'invalid value "x" in "codr_cgroup"' ],
        [ 'codr_cgroup /sys/../x;', 'invalid value' ],
        [ 'codr_total x;', 'invalid value "x" in "codr_total"' ],
        [ 'codr_total memory=0%;', 'invalid value "0"' ],
        [ 'codr_total memory=101%;', 'must be from 1 to 100' ],
        [ 'codr_total memory=1k;', 'invalid value "1k".*from 16m' ],
        [ 'codr_total memory=1g memory=2g;', 'invalid value "memory=2g"' ],
        [ 'codr_total cpu=0;', 'invalid value "cpu=0"' ],
        [ 'codr_total cpu=-1;', 'invalid value "cpu=-1"' ],
        [ 'codr_allow_missing everything;', 'invalid value "everything" in'
            . ' "codr_allow_missing"' ],
        [ 'codr_zone codr;', 'invalid value "codr" in "codr_zone"' ],
        [ 'codr_zone :32m;', 'invalid value' ],
        [ 'codr_zone codr:4k;', 'invalid value "4k".*from 512k' ],
        [ 'codr_max_jobs 0;', 'invalid value "0" in "codr_max_jobs"' ],
        [ 'codr_max_jobs 1 x=2;', 'invalid value "x=2"' ],
        [ 'codr_max_jobs 1 batch=1 batch=2;', 'invalid value "batch=2"' ],
        [ 'codr_queue -1;', 'invalid value "-1" in "codr_queue"' ],
        [ 'codr_queue 1 timeout=0;', 'invalid value "0"' ],
        [ 'codr_queue 1 x;', 'invalid value "x"' ],
        [ 'codr_compile_cache x;', 'invalid value "x" in'
            . ' "codr_compile_cache"' ],
        [ 'codr_compile_cache 1m all;', 'invalid value "all"' ],
        [ 'codr_compile_cache 1m; codr_compile_cache 1m;', 'is duplicate' ],
        [ 'codr_results 63k;', 'invalid value "63k" in "codr_results", it'
            . ' must be from 64k to 64g' ],
        [ 'codr_results 1m; codr_results 1m;', 'is duplicate' ],
        [ 'codr_job_ttl 0;', 'invalid value "0" in "codr_job_ttl", it must be'
            . ' from 1s to 720h' ],
        [ 'codr_job_ttl 31d;', 'invalid value "31d"' ],
        [ 'codr_detach 25h;', 'invalid value "25h" in "codr_detach"' ],
        [ 'codr_bind data;', 'invalid value "data" in "codr_bind"' ],
        [ 'codr_bind /a:b;', 'invalid value' ],
        [ 'codr_bind /srv /box/x;', 'belongs to the sandbox' ],
        [ 'codr_bind /srv /etc;', 'belongs to the sandbox' ],
        [ 'codr_bind /srv /;', 'belongs to the sandbox' ],
        [ 'codr_bind /a /x; codr_bind /b /x;', 'is duplicate' ];

    refuses(http => 'codr_max_jobs 200 batch=100; codr_uids 200000 256;',
        'allows 300 jobs, but "codr_uids" has uids for 255', no_line => 1);
    refuses(http => 'codr_bind /a /x; codr_language l { source m; run r;'
            . ' bind /b /x; }', '"/b" and "/a" are both bound to "/x"',
        no_line => 1);
    refuses(server => 'codr_uids 200000;', 'directive is not allowed here');
};


subtest 'users' => sub {
    plan skip_all => 'needs root' if $> != 0;
    my $nobody = getpwnam 'nobody';
    refuses(http => @{$_}) for
        [ 'codr_user www-data;', 'is the user of nginx' ],
        [ 'codr_user root;', '"codr_user" is root' ],
        [ 'codr_user no-such-user;', '"codr_user" names no user' ];
    refuses(http => "codr_uids $nobody 2;", 'contains the uid 65534');
};


subtest 'the helper\'s file' => sub {
    my $helper = "$dir/helper";
    my ($ok, $said) = check(http => "codr_helper spawn $dir/none;");
    ok($ok && $said =~ /\[warn\].*"\Q$dir\E\/none".*does not exist/,
        'one that is not there is found at run time, and said') or diag $said;

    spew($helper, "#!/bin/sh\n");
    chmod 0755, $helper;
    accepts(http => "codr_helper spawn $helper;");
    chmod 0775, $helper;
    refuses(http => "codr_helper spawn $helper;", 'can be written by others');
    chmod 0644, $helper;
    refuses(http => "codr_helper spawn $helper;", 'is not executable');
    chmod 0755, $helper;
    SKIP: {
        skip 'needs root', 1 if $> != 0;
        chown scalar getpwnam('nobody'), 0, $helper;
        refuses(http => "codr_helper spawn $helper;",
            'is owned by neither root');
    }
};


subtest 'limits and times' => sub {
    accepts(http => $_) for
        'codr_timeout 10s;', 'codr_timeout 10s input=1m;',
        'codr_timeout 10s input=1m max=2m;',
        'codr_timeout 40m input=10m;', 'codr_timeout 500ms;',
        'codr_cpu_time 3;', 'codr_compile_timeout 1m;',
        'codr_compile_memory 512m;', 'codr_memory 1g;', 'codr_memory 65536;',
        'codr_stack 8m;', 'codr_processes 1;', 'codr_open_files 64;',
        'codr_disk 16m;', 'codr_disk 16m inodes=100;', 'codr_output 64k;',
        'codr_output 64k end;', 'codr_output 64k drop;', 'codr_code_size 10k;',
        'codr_files 1m;', 'codr_files 1m count=5;', 'codr_input 64k;',
        'codr_first_message_timeout 5s;', 'codr_idle_timeout 1m;',
        'codr_ping 10s;', 'codr_detach 0;', 'codr_detach 5m;',
        'codr_deflate off;', 'codr_deflate on;', 'codr_policy off;',
        'codr_policy warn;',
        'codr_policy warn light;', 'codr_policy block;',
        'codr_policy block standard;', 'codr_policy block strict;',
        'codr_policies /srv/policies;', 'codr_policies policies;',
        'codr_owner $remote_user;',
        'codr_limit_jobs $remote_addr jobs=5 rate=3/m burst=9 cpu=1h/h;',
        'codr_limit_jobs $host rate=3/s; codr_limit_jobs $host cpu=5s/m;';

    refuses(http => @{$_}) for
        [ 'codr_timeout 0;', 'invalid value "0" in "codr_timeout", it must be'
            . ' from 1ms to 24h' ],
        [ 'codr_timeout 25h;', 'invalid value "25h"' ],
        [ 'codr_timeout x;', 'invalid value "x"' ],
        [ 'codr_timeout 1s max=5s input=10s;', '"max" must not be less' ],
        [ 'codr_timeout 1s x=5s;', 'invalid value "x=5s"' ],
        [ 'codr_timeout 1s max=5s max=6s;', 'is duplicate' ],
        [ 'codr_cpu_time -1;', 'invalid value "-1"' ],
        [ 'codr_memory 0;', 'invalid value "0" in "codr_memory", it must be'
            . ' from 1 to 1024g' ],
        [ 'codr_memory 2000g;', 'invalid value "2000g"' ],
        [ 'codr_memory 99999999999999999999g;', 'invalid value' ],
        [ 'codr_memory 1.5g;', 'invalid value "1.5g"' ],
        [ 'codr_memory 1m; codr_memory 1m;', 'is duplicate' ],
        [ 'codr_memory 1m 2m;', 'invalid number of arguments' ],
        [ 'codr_processes many;', 'invalid value "many"' ],
        [ 'codr_processes 40000;', 'from 1 to 32768' ],
        [ 'codr_open_files 0;', 'invalid value "0"' ],
        [ 'codr_disk 1m files=3;', 'invalid value "files=3"' ],
        [ 'codr_disk 1m inodes=0;', 'invalid value "0" in "codr_disk"' ],
        [ 'codr_output 1m stop;', 'invalid value "stop" in "codr_output"' ],
        [ 'codr_files 1m count=x;', 'invalid value "x"' ],
        [ 'codr_first_message_timeout 0;', 'invalid value "0"' ],
        [ 'codr_idle_timeout 10ms;', 'from 100ms to 24h' ],
        [ 'codr_ping 2h;', 'invalid value "2h"' ],
        [ 'codr_limit_jobs $remote_addr;',
            'invalid number of arguments' ],
        [ 'codr_limit_jobs $remote_addr jobs=0;', 'invalid value "jobs=0"' ],
        [ 'codr_limit_jobs $remote_addr rate=5;', 'invalid value "rate=5"' ],
        [ 'codr_limit_jobs $host cpu=1x/h;', 'invalid value "cpu=1x/h"' ],
        [ 'codr_limit_jobs $remote_addr rate=5/m x;', 'invalid value "x"' ],
        ( map { [ "codr_limit_jobs all jobs=9 rate=9/m burst=9 cpu=9s/h $_;",
                "invalid value \"$_\"" ] }
            'jobs=9', 'rate=3/h', 'burst=3', 'cpu=9s/h' ),
        [ 'codr_limit_jobs $remote_addr burst=5;',
            'needs "jobs", "rate" or "cpu"' ],
        [ 'codr_limit_jobs $remote_addr jobs=5 burst=5;',
            'a "burst" without a "rate"' ],
        [ 'codr_limit_jobs $remote_addr jobs=5;' x 32, 'too often' ],
        [ 'codr_deflate maybe;', 'invalid value "maybe"' ],
        [ 'codr_policy maybe;', 'invalid value "maybe" in "codr_policy"' ],
        [ 'codr_policy block hard;', 'invalid value "hard"' ],
        [ 'codr_policy warn strict more;', 'invalid number of arguments' ],
        [ 'codr_policy warn; codr_policy warn;', 'is duplicate' ],
        [ 'codr_ast_nodes 2000000;', 'from 1 to 1000000' ];
};


subtest 'handlers' => sub {
    accepts(server => $_, http => $c) for
        'location /x { codr_exec c; codr_auth off; }',
        'location /x { codr_exec C; codr_auth off; }', $open,
        'location /x { codr_status health; }',
        'location /x { codr_languages; }',
        'codr_auth off; location /x { codr_exec; }';

    my $in = sub { return "location /x { codr_auth off; $_[0] }" };
    refuses(server => @{$_}, http => $c) for
        [ $in->('codr_exec c; codr_exec c;'), '"codr_exec" directive is'
            . ' duplicate' ],
        [ $in->('codr_exec; codr_languages;'), 'beside another codr handler' ],
        [ $in->('codr_exec python;'), 'unknown language: python' ],
        [ $in->('codr_exec c C;'), 'a language twice: C' ],
        [ $in->('codr_status x;'), 'invalid value "x"' ],
        [ 'codr_exec;', 'directive is not allowed here' ],
        [ 'codr_status health;', 'directive is not allowed here' ],
        [ 'location /x { if ($arg_x) { codr_exec; } }',
            'directive is not allowed here' ];
};


subtest 'who may run code must be said' => sub {
    my $keys = "$dir/keys";
    spew($keys, 'a ' . 'ab' x 32 . "\n");
    chmod 0640, $keys;

    refuses(server => 'location /x { codr_exec; }',
        '"codr_exec" needs "codr_api_keys" or "codr_auth"');
    refuses(server => 'location /x { codr_exec; codr_auth key; }',
        '"codr_auth key" needs "codr_api_keys"');
    accepts(server => 'location /x { codr_exec; }',
        http => "codr_api_keys $keys;");
    accepts(server => "location /x { codr_exec; codr_api_keys $keys;"
            . ' codr_auth key; }');
    accepts(server => 'location /x { codr_languages; }');
    refuses(http => @{$_}) for
        [ 'codr_auth off key;', 'invalid value "off" in "codr_auth"' ],
        [ 'codr_auth key off;', 'invalid value "off" in "codr_auth"' ],
        [ 'codr_auth maybe;', 'invalid value "maybe"' ],
        [ 'codr_auth off; codr_auth off;', 'is duplicate' ];
};


subtest 'codr_language' => sub {
    my $block = sub { return "codr_language x { $_[0] }" };
    my $plain = 'source main.x; run /usr/bin/x $source;';

    accepts(http => $block->($_)) for
        $plain, "$plain alias y z+ c#;", "$plain sources *.x lib/*.h;",
        "$plain version x --version;", "$plain env A=b; env B=;",
        "$plain env_live PYTHONUNBUFFERED=1;", "$plain bind /srv/x;",
        "$plain memory 1g; timeout 5s input=1m; disk 1m inodes=5;",
        "$plain output 1m; input 1k; files 1m count=2; code_size 1k;",
        "$plain shortcut gcc; precompile a b/c; precompile d;",
        "$plain policy off; warm 0; zygote off; preload off;",
        "$plain warm 64;", "$plain policy own.scm; grammar python;",
        "$plain zygote python; preload json os.path;",
        'source main.x; run x "" $source;',
        'source m.x; compile cc -o $program $sources; run $program;',
        'source m.x; compile cc -o $program $sources; run x y $program z;',
        "$plain output 1m drop;", "$plain output 1m end;";

    refuses(http => $block->($_->[0]), $_->[1]) for
        [ '', 'language "x" has no "source"' ],
        [ 'source main.x;', 'language "x" has no "run"' ],
        [ "$plain run y;", '"run" directive in "codr_language" is duplicate' ],
        [ 'source ../x; run x;', 'invalid value "../x" in "source"' ],
        [ 'source a/b; run x;', 'invalid value "a/b"' ],
        [ 'source a b; run x;', 'invalid number of arguments' ],
        [ 'run; source x;', 'invalid number of arguments' ],
        [ 'source m; run -o$source;', 'an argument of its own' ],
        [ 'source m; run x $program;', 'but no "compile"' ],
        [ 'source m; compile cc $sources; run $program;',
            'no "\$program" in "compile"' ],
        [ 'source m; compile cc -o $program; run x $source;',
            'has "compile" but no "\$program" in "run"' ],
        [ "$plain sources '*.x;rm';", 'invalid value' ],
        [ "$plain alias x;", 'duplicate language "x"' ],
        [ "$plain alias 'a b';", 'invalid value "a b" in "alias"' ],
        [ "$plain alias -x;", 'invalid value "-x"' ],
        [ "$plain env A;", 'invalid value "A" in "env"' ],
        [ "$plain env =b;", 'invalid value "=b"' ],
        [ "$plain env 1A=b;", 'invalid value "1A=b"' ],
        [ "$plain env A=1; env A=2;", 'is duplicate' ],
        [ "$plain bind x;", 'invalid value "x" in "bind"' ],
        [ "$plain memory 0;", 'invalid value "0" in "memory"' ],
        [ "$plain memory 1m; memory 2m;", '"memory" directive in'
            . ' "codr_language" is duplicate' ],
        [ "$plain output 1m dropped;", 'invalid value "dropped"' ],
        [ "$plain codr_memory 1m;", '"codr_memory" directive in'
            . ' "codr_language" is unknown' ],
        [ "$plain policy a:b;", 'invalid value "a:b" in "policy"' ],
        [ "$plain grammar a=b;", 'invalid value "a=b" in "grammar"' ],
        [ "$plain grammar a; grammar b;", 'is duplicate' ],
        [ "$plain warm 65;", 'invalid value "65" in "warm"' ],
        [ "$plain warm -1;", 'invalid value "-1" in "warm"' ],
        [ "$plain warm 1; warm 1;", 'is duplicate' ],
        [ "$plain shortcut clang;", 'invalid value "clang" in "shortcut"' ],
        [ "$plain precompile a '<b>';", 'invalid value "<b>"' ],
        [ "$plain zygote perl;", 'invalid value "perl" in "zygote"' ],
        [ "$plain zygote off; zygote off;", 'is duplicate' ],
        [ "$plain preload json 'a b';", 'invalid value "a b" in "preload"' ],
        [ "$plain preload a/b;", 'invalid value "a/b"' ],
        [ "$plain nonsense 1;", '"nonsense" directive in "codr_language" is'
            . ' unknown' ];

    refuses(http => @{$_}) for
        [ "$c codr_language C { $plain }", 'duplicate language "c"' ],
        [ "codr_language 'a b' { $plain }", 'invalid value "a b"' ],
        [ "codr_language p { $plain zygote python; }"
            . " codr_language q { $plain zygote python; }",
            '"zygote" directive in "codr_language" is one language\'s' ],
        [ 'codr_language ' . 'a' x 65 . " { $plain }", 'invalid value' ],
        [ "codr_language { $plain }", 'invalid number of arguments' ];
};


subtest 'the layers of codr_allow_missing are those of --check' => sub {
    my $helper = build() . '/codr-sandboxd';
    plan skip_all => 'no helper built' if !-x $helper;
    my ($list) = `$helper --check --json 2>/dev/null`
        =~ /"layers":\s*\[(.*?)\]/s;
    my @layers = ($list // '') =~ /"name":\s*"([a-z0-9_]+)"/g;
    plan skip_all => 'the helper names no layers' if !@layers;
    accepts(http => "codr_allow_missing @layers;");
};


subtest 'what a location inherits' => sub {
    my $nginx = Codr::Nginx->new(languages => 0, locations => 0,
        helper => "spawn $dir/none", http => <<"CONF", server => <<"CONF");
        $c
        codr_language d { source main.d; run d; memory 20m; }
        codr_memory 50m;
        codr_timeout 10s input=20s;
CONF
        location /a { codr_languages; }
        location /b { codr_languages; codr_memory 10m; codr_timeout 2500ms; }
        location /c { codr_languages; codr_memory 100m; codr_processes 7; }
CONF
    my %limits;
    for my $path (qw(a b c)) {
        my $answer = $nginx->get("/$path");
        is($answer->{status}, 200, "/$path answers");
        $limits{"$path$_->{name}"} = $_->{limits}
            for @{ $answer->{json}{languages} };
    }
    is($limits{ac}{memory_bytes}, 50 << 20, 'the value of the outer level');
    is($limits{ad}{memory_bytes}, 20 << 20, 'the smaller one of a language');
    is($limits{bc}{memory_bytes}, 10 << 20, 'the value of its own');
    is($limits{bd}{memory_bytes}, 10 << 20, 'the smaller one of its own');
    is($limits{cd}{memory_bytes}, 20 << 20, 'a language bounds a location');
    is($limits{ac}{wall_time}, 10, 'a time in seconds');
    is($limits{bc}{wall_time}, 2.5, 'a fraction of a second');
    is($limits{ac}{processes}, 64, 'the default');
    is($limits{cc}{processes}, 7, 'a number');
    my $put = $nginx->get('/a', method => 'PUT');
    is($put->{status}, 405, 'no other method');
    is($put->{headers}{allow}, 'GET, HEAD, OPTIONS', 'which is said');
    is($put->{json}{code}, 'bad_message', 'in JSON');
    is($nginx->get('/a', method => 'OPTIONS')->{headers}{allow},
        'GET, HEAD, OPTIONS', 'OPTIONS says so, too');
    $nginx->finish(expected => qr/helper ".*" does not exist/);
};


# Without a helper whatever is in order ends as "unavailable".
subtest 'what nginx makes of a location' => sub {
    my $nginx = Codr::Nginx->new(languages => 0, helper => "spawn $dir/none",
        http => "$c codr_language d { source main.d; run d; }",
        server => <<'CONF');
        location /c { codr_exec c; set $z 0; if ($arg_if) { set $z 1; } }
        location /post { codr_exec; limit_except POST { deny all; } }
        location /get { codr_exec c; limit_except GET { allow all; } }
        location /small { client_max_body_size 1m; codr_exec; }
        location /big { client_max_body_size 40m; codr_exec; }
        location /files { codr_files 1k; codr_input 1k; codr_exec; }
CONF
    my $try = sub {
        my ($path, $language, $size) = @_;
        my $code = '#' x ($size // 1);
        return $nginx->post($path, { language => $language, code => 'x',
            files => [ { name => 'a', content => $code } ] })->{status};
    };
    is($try->('/c', 'c'), 503, 'the language of the list');
    is($try->('/c', 'd'), 400, 'another is refused');
    is($try->('/c?if=1', 'c'), 503, 'inside "if" the same');
    is($try->('/c?if=1', 'd'), 400, 'and no more');
    is($try->('/post', 'd'), 503, 'limit_except lets the method pass');
    is($nginx->get('/post')->{status}, 403, 'and no other');
    is($try->('/get', 'c'), 503, 'inside limit_except programs run');
    is($try->('/get', 'd'), 400, 'of the same languages only');

    is($try->('/run', 'c', 2 << 20), 503, 'a body above 1m, where nothing is'
        . ' said');
    is($try->('/run', 'c', 30 << 20), 413, 'the cap is that of messages');
    is($try->('/files', 'c', 1 << 20), 413, 'which follows the limits');
    is($try->('/small', 'c', 2 << 20), 413, 'client_max_body_size counts');
    isnt($try->('/small', 'c', 1 << 19), 413, 'as it stands');
    $nginx->finish(expected => qr/helper ".*" does not exist/);
};

done_testing();
