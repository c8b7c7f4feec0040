# What codr_bind brings in is what it named when the helper was started, and
# where it goes no file of the host is made or changed.

use strict;
use warnings;

use Codr::Host qw(need slurp spew);
use Codr::Nginx;
use Test::More;

need(qw(module helper /usr/bin/python3));

my $dir = Codr::Nginx::dir();
my $name = "codr-bind-$$";
for my $which (qw(wanted other)) {
    mkdir "$dir/$which" or die "$dir/$which: $!";
    spew("$dir/$which/file", $which);
}
symlink 'wanted', "$dir/link" or die "$dir/link: $!";
spew("$dir/loose", 'loose');

my $nginx = Codr::Nginx->new(dir => $dir, http => <<"END");
codr_bind $dir/link /opt/linked;
codr_bind $dir/loose /opt/loose;
codr_bind $dir/other /usr/lib/$name;
codr_bind $dir/other /lib/$name-link;
codr_bind $dir/other /etc/$name;
END
ok($nginx->ready, 'the server is ready');

my $look = <<"END";
import errno, os
def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError as e:
        return errno.errorcode[e.errno]
def change(path):
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
        return "done"
    except OSError as e:
        return errno.errorcode[e.errno]
print(read("/opt/linked/file"), read("/opt/loose"), read("/etc/$name/file"))
print(read("/usr/lib/$name/file"), read("/lib/$name-link/file"))
print(change("/opt/linked/file"), change("/opt/linked/new"),
      change("/opt/loose"), change("/etc/$name/new"))
END

sub look { return split /\r?\n/, $nginx->run_job(language => 'python',
    code => $look)->{stdout} }

my ($read, $usr, $change) = look();
is($read, 'wanted loose other', 'what is bound is there');
is($usr, 'ENOENT ENOENT', 'a place in /usr cannot be made');
ok(!-e "/usr/lib/$name" && !-e "/usr/lib/$name-link",
    'and the host\'s /usr has nothing new');
ok(!-e "/etc/$name" && !-e "/opt/linked" && !-e '/opt/loose',
    'nor any other place of the host');
like($change, qr/^E\w+ E\w+ E\w+ E\w+$/, 'a job cannot change it');
is(slurp("$dir/wanted/file") . slurp("$dir/loose"), 'wantedloose',
    'it is what it was');

# A link that is another's meanwhile.
unlink "$dir/link";
symlink 'other', "$dir/link" or die "$dir/link: $!";
is(slurp("$dir/link/file"), 'other', 'outside the link leads elsewhere now');
($read) = look();
is($read, 'wanted loose other', 'a job sees what was named at the start');
rename "$dir/wanted", "$dir/moved" or die "$dir/wanted: $!";
mkdir "$dir/wanted" or die "$dir/wanted: $!";
spew("$dir/wanted/file", 'planted');
($read) = look();
is($read, 'wanted loose other', 'also when the directory is another one');

$nginx->finish;
done_testing();
