# The Debian packages: `make deb` builds them, they hold what they should, and
# what they hold works together where they put it.

use strict;
use warnings;

use Codr::Host qw(build need slurp top);
use Codr::Nginx;
use Test::More;

need(qw(plain root module helper /usr/bin/dpkg-buildpackage /usr/bin/dh
    /usr/bin/dh_nginx));

# What make was called with is none of this build's business.
delete @ENV{grep {/^(?:MAKE|MFLAGS|DEB_)/} keys %ENV};

my $dir  = build() . '/deb';
my $said = `cd '@{[ top() ]}' && make deb-only BUILD='@{[ build() ]}' 2>&1`;
is($?, 0, 'the packages are built') or diag(substr $said, -3000);
unlike(slurp("$dir/build.log"), qr/warning: .*\[-W/, 'without a warning');

sub deb { return glob "$dir/$_[0]_*.deb" }

sub field {
    my ($package, $field) = @_;
    my ($file) = deb($package) or return '';
    return `dpkg-deb -f '$file' $field` =~ s/\n\z//r;
}

my %holds = (
    'libnginx-mod-http-codr' => [qw(
        ./usr/lib/nginx/modules/ngx_http_codr_module.so
        ./usr/share/nginx/modules-available/mod-http-codr.conf
        ./usr/share/doc/libnginx-mod-http-codr/copyright)],
    'codr-sandbox' => [qw(./usr/lib/codr/codr-sandboxd
        ./usr/lib/codr/codr-shortcut ./usr/lib/codr/codr-validator
        ./usr/lib/codr/codr-zygote-python.so
        ./usr/lib/codr/policies/python/standard.scm ./usr/sbin/codr-sandboxd
        ./etc/codr/languages.conf ./etc/codr/sandboxd.conf
        ./lib/systemd/system/codr-sandbox.service
        ./lib/systemd/system/codr-sandbox.socket
        ./usr/share/codr/snippets/codr-errors.conf
        ./usr/share/doc/codr-sandbox/licenses/tree-sitter
        ./usr/share/man/man8/codr-sandboxd.8.gz)],
    'codr' => [qw(./usr/bin/codr ./usr/share/man/man1/codr.1.gz)],
    'codr-playground' => [qw(./usr/share/codr/playground/index.html
        ./usr/share/codr/playground/codr-run.js
        ./usr/share/doc/codr-playground/licenses/@xterm-xterm)],
);
my $root = Codr::Nginx::dir();
for my $package (sort keys %holds) {
    my ($file) = deb($package);
    ok($file, "package $package") or next;
    my @lines = split /\n/, `dpkg-deb -c '$file'`;
    my %there = map { (split ' ')[5] => $_ } @lines;
    is(join(' ', grep { !$there{$_} } @{ $holds{$package} }), '',
        "$package holds what it should");
    is(join("\n", grep { !m{ root/root } || /^-..[sS]|^-.....[sS]|^-.{7}w/ }
        @lines), '', "$package: everything is root's, nothing is set-id");
    system('dpkg-deb', '-x', $file, $root) == 0 or die;
    like(field($package, "Maintainer"), qr{\S}, "$package has a maintainer");
}

my ($version) = slurp(top() . '/config.m4') =~ /AC_INIT\(\[codr\], \[(.+?)\]/;
is(field('codr-sandbox', 'Version'), $version, 'the version is that of codr');
like(field('libnginx-mod-http-codr', 'Depends'), qr/nginx-abi-/,
    'the module asks for the nginx it was built with');
like(field('libnginx-mod-http-codr', 'Depends'),
    qr/codr-sandbox \(= \Q$version\E\)/, 'and for its own helper');
like(`dpkg-deb -I '@{[ deb('libnginx-mod-http-codr') ]}' postinst`,
    qr{modules-enabled}, 'nginx loads it after the installation');
like(`dpkg-deb -I '@{[ deb('codr-sandbox') ]}' conffiles`,
    qr{/etc/codr/languages\.conf}, 'the languages are the operator\'s');
like(slurp("$root/lib/systemd/system/codr-sandbox.service"),
    qr{^ExecStart=/usr/lib/codr/codr-sandboxd --config /etc/codr/}m,
    'the unit starts the helper that is there');

SKIP: {
    skip 'needs systemd-analyze', 1 if !-x '/usr/bin/systemd-analyze';
    my $units = join ' ', glob "$root/lib/systemd/system/codr-sandbox.*";
    my $text = `systemd-analyze verify --man=no --root='$root' $units 2>&1`;
    is(join("\n", grep {/codr-sandbox/ && !/not executable|not found/}
        split /\n/, $text), '', 'systemd understands the units');
}

# The unpacked tree at work: the module finds its helper beside it.
my $nginx = Codr::Nginx->new(load => 0, mode => 'daemon',
    main => 'load_module '
        . "$root/usr/lib/nginx/modules/ngx_http_codr_module.so;",
    http => "include $root/etc/codr/languages.conf;\ncodr_auth off;",
    server => 'location = /status { codr_status health; }'
        . 'location = /run { codr_exec; }');
ok($nginx->ready, 'nginx runs with the packages\' files')
    or diag($nginx->log);
like($nginx->log, qr{started helper "\Q$root\E/}, 'and their helper');
my $job = $nginx->post('/run', { language => 'python',
    code => 'print(6 * 7)' })->{json};
is($job->{stdout}, "42\n", 'a program runs');
is($nginx->post('/run', { language => 'python', code => 'eval("1")' })
    ->{json}{code}, 'rejected', 'the policies are there');
my $out = `echo 'print(6 * 7)' >$root/a.py && '$root/usr/bin/codr' run \\
    --server http://127.0.0.1:@{[ $nginx->port ]}/run $root/a.py </dev/null`;
is($out, "42\n", 'for the client, too') or diag($out);
$nginx->finish;

done_testing();
