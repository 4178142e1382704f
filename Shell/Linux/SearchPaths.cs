using System.Runtime.InteropServices;

// Native libraries come from the system's own directories, never from the current one.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
