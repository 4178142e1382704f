using System.IO;

namespace Agent.Benchmarks;

/// <summary>The limit of PF-1: the same lines in the same groups, over blocks that were zeroed before, in plain C.</summary>
internal static class CLoop
{
    private const string Source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <time.h>
        #include <unistd.h>

        #define FILE_BYTES (64 << 20)

        static double now(void) {
            struct timespec t;
            clock_gettime(CLOCK_MONOTONIC, &t);
            return t.tv_sec + t.tv_nsec / 1e9;
        }

        int main(int argc, char **argv) {
            if (argc != 5) return 2;
            static char text[8 << 20], batch[8 << 20], zeros[1 << 20];
            char *lines[100000];
            size_t lengths[100000], count = 0, at = 0;
            int source = open(argv[2], O_RDONLY), group = atoi(argv[3]);
            double run = atof(argv[4]) / 1000;
            ssize_t size = read(source, text, sizeof text);
            if (size <= 0) return 1;
            while (at < (size_t)size && count < 100000) {
                char *end = memchr(text + at, '\n', size - at);
                lines[count] = text + at;
                lengths[count] = end - (text + at) + 1;
                at += lengths[count++];
            }
            int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
            for (off_t zeroed = 0; zeroed < FILE_BYTES; zeroed += sizeof zeros)
                if (pwrite(fd, zeros, sizeof zeros, zeroed) != sizeof zeros) return 1;
            if (fsync(fd)) return 1;
            off_t offset = 0;
            size_t next = 0;
            long events = 0;
            double begin = now(), end;
            do {
                size_t bytes = 0;
                for (int i = 0; i < group; i++, events++) {
                    memcpy(batch + bytes, lines[next], lengths[next]);
                    bytes += lengths[next];
                    next = next + 1 < count ? next + 1 : 0;
                }
                if (offset + (off_t)bytes > FILE_BYTES) offset = 0;
                if (pwrite(fd, batch, bytes, offset) != (ssize_t)bytes || fdatasync(fd)) return 1;
                offset += bytes;
                end = now();
            } while (end - begin < run);
            printf("%.1f", events / (end - begin));
            unlink(argv[1]);
            return 0;
        }
        """;

    /// <summary>The program, or null where no compiler is.</summary>
    public static string? Compile(string folder)
    {
        if (!File.Exists("/usr/bin/gcc")) return null;
        var source = Path.Combine(folder, "loop.c");
        var program = Path.Combine(folder, "loop");
        File.WriteAllText(source, Source);
        Programs.Run("/usr/bin/gcc", "-O2", "-Wall", "-o", program, source);
        return program;
    }
}
