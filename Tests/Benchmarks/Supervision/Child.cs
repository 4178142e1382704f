using System.IO;

namespace Agent.Benchmarks.Supervision;

/// <summary>What a service does once it has said that it runs; each is the letter that the child knows it by.</summary>
internal enum Work
{
    /// <summary>Nothing, as cheaply as can be.</summary>
    Sleep = 's',

    /// <summary>It starts one process in a session of its own, and both do nothing.</summary>
    Grandchild = 'g',

    /// <summary>Once the file <c>go</c> is there, it writes a GiB of 100-byte lines and says when all of it was read.</summary>
    Write = 'w',
}

/// <summary>
/// The program that all supervisors run: static C of a few hundred KiB whose first act is to write its name, its pid and
/// the monotonic clock into the FIFO <c>started</c> beside it. So what is timed is the supervisor, not an interpreter.
/// </summary>
internal static class Child
{
    public const string FileName = "child";
    public const string Fifo = "started";
    public const string Go = "go";
    public const long WrittenBytes = 1L << 30;

    /// <summary>The name of a grandchild is this number; no service has one so large.</summary>
    public const int GrandchildNumber = 1_000_000;

    private const string Source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <libgen.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <linux/sockios.h>
        #include <sys/ioctl.h>
        #include <sys/stat.h>
        #include <time.h>
        #include <unistd.h>

        #define TOTAL (1L << 30)
        #define BLOCK 65500

        static char folder[512];

        static void said(char kind, int number) {
            char line[96], path[600];
            struct timespec now;
            clock_gettime(CLOCK_MONOTONIC, &now);
            long length = snprintf(line, sizeof line, "%c %d %d %ld%09ld\n",
                kind, number, getpid(), (long)now.tv_sec, now.tv_nsec);
            snprintf(path, sizeof path, "%s/started", folder);
            int fd = open(path, O_WRONLY | O_CLOEXEC);
            if (fd < 0 || write(fd, line, length) != length) _exit(3);
            close(fd);
        }

        /* What was written to output and not yet read by whoever captures it, be it through a pipe or a socket. */
        static int unread(void) {
            struct stat is;
            int bytes = 0;
            if (!fstat(1, &is) && ioctl(1, S_ISSOCK(is.st_mode) ? SIOCOUTQ : FIONREAD, &bytes)) return 0;
            return bytes;
        }

        static void wait_a_little(void) {
            struct timespec ms = { 0, 1000000 };
            nanosleep(&ms, 0);
        }

        static void write_lines(int number) {
            static char block[BLOCK];
            char go[600];
            snprintf(go, sizeof go, "%s/go", folder);
            for (int at = 0; at < BLOCK; at++) block[at] = at % 100 == 99 ? '\n' : 'a' + at % 26;
            while (access(go, F_OK)) wait_a_little();
            said('w', number);
            for (long left = TOTAL; left > 0;) {
                ssize_t some = write(1, block, left < BLOCK ? left : BLOCK);
                if (some < 0) _exit(4);
                left -= some;
            }
            while (unread()) wait_a_little();
            said('e', number);
        }

        int main(int argc, char **argv) {
            if (argc < 2) return 2;
            char self[512];
            snprintf(self, sizeof self, "%s", argv[0]);
            snprintf(folder, sizeof folder, "%s", dirname(self));
            char work = argv[1][0];
            int number = atoi(argv[1] + strcspn(argv[1], "0123456789"));
            if (work == 'd') {
                if (fork()) return 0;
                setsid();
                char path[600];
                snprintf(path, sizeof path, "%s/%d.pid", folder, number);
                FILE *pid = fopen(path, "w");
                if (!pid || fprintf(pid, "%d\n", getpid()) < 0 || fclose(pid)) return 3;
                work = argv[1][1];
            }
            if (work == 'g' && !fork()) {
                setsid();
                execl(argv[0], argv[0], "s1000000", (char *)0);
                _exit(3);
            }
            said('s', number);
            if (work == 'w') write_lines(number);
            for (;;) pause();
        }
        """;

    /// <summary>How a service is told its work and its number. With a d before it, it is a daemon that writes its pid file.</summary>
    public static string Argument(Work work, int number) => $"{(char)work}{number}";

    /// <summary>The program, or null where no compiler is.</summary>
    public static string? Compile(string folder)
    {
        if (!File.Exists("/usr/bin/gcc")) return null;
        var source = Path.Combine(folder, "child.c");
        var program = Path.Combine(folder, FileName);
        File.WriteAllText(source, Source);
        Programs.Run("/usr/bin/gcc", "-O2", "-static", "-o", program, source);
        return program;
    }
}
