#nullable enable
#pragma warning disable IDE0005 // MSBuild compiles this file without implicit usings, the tests with them.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace ToolN1.Build;

/// <summary>
/// Lets TorchSharp's <c>libLibTorchSharp.so</c> load where libstdc++ is older than GCC 13 (Debian 12, Ubuntu 22.04).
/// The file names version GLIBCXX_3.4.32 for one symbol only, <c>std::ios_base_library_init()</c>, which does nothing
/// by itself. <see cref="Rewrite"/> renames that reference to <c>std::get_new_handler()</c> (harmless to call, older)
/// and points the version need at GLIBCXX_3.4.20, which the file names already.
/// </summary>
/// <remarks>
/// Layout: System V gABI, chapter 5 (ELF64 little-endian section headers, .dynstr, Elf64_Verneed, Elf64_Vernaux).
/// Compiled twice: by MSBuild's RoslynCodeTaskFactory (LibstdcxxRemedy.targets) and by the tests.
/// </remarks>
public sealed class LibstdcxxRemedy : Microsoft.Build.Utilities.Task
{
    public const string NeededVersion = "GLIBCXX_3.4.32";
    private const string OlderVersion = "GLIBCXX_3.4.20";
    private const string NeededSymbol = "_ZSt21ios_base_library_initv";
    private const string HarmlessSymbol = "_ZSt15get_new_handlerv";
    private const uint VersionNeedSection = 0x6ffffffe;

    /// <summary>Output copies of the library; never the package cache.</summary>
    [Microsoft.Build.Framework.Required]
    public string[] Files { get; set; } = Array.Empty<string>();

    public override bool Execute()
    {
        if (!HostNeedsIt())
        {
            return true;
        }

        foreach (string file in Files)
        {
            if (!File.Exists(file))
            {
                continue;
            }

            byte[]? rewritten = Rewrite(File.ReadAllBytes(file));
            if (rewritten is null)
            {
                continue;
            }

            // A new file under the old name: the output may be a hard link into the package cache, which must stay as it is.
            // The old time stamp is kept so that an incremental build sees nothing to copy again.
            DateTime stamp = File.GetLastWriteTimeUtc(file);
            string temporary = file + ".remedy";
            File.WriteAllBytes(temporary, rewritten);
            File.SetLastWriteTimeUtc(temporary, stamp);
            File.Delete(file);
            File.Move(temporary, file);
            Log.LogMessage(Microsoft.Build.Framework.MessageImportance.Normal, "libstdc++ remedy applied to {0}", file);
        }

        return !Log.HasLoggedErrors;
    }

    /// <summary>True on a Linux host whose libstdc++ does not define <see cref="NeededVersion"/>.</summary>
    public static bool HostNeedsIt()
    {
        string[] folders = { "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib", "/lib/x86_64-linux-gnu" };
        string? library = folders.Select(folder => Path.Combine(folder, "libstdc++.so.6")).FirstOrDefault(File.Exists);
        return library != null && IndexOf(File.ReadAllBytes(library), Encoding.ASCII.GetBytes(NeededVersion + "\0"), 0) < 0;
    }

    /// <summary>The rewritten file, or null when it does not ask for <see cref="NeededVersion"/> (already rewritten, or newer).</summary>
    /// <exception cref="InvalidDataException">Not an ELF64 little-endian file, or it does not name what the remedy relies on.</exception>
    public static byte[]? Rewrite(byte[] source)
    {
        if (source.Length < 64 || source[0] != 0x7f || source[1] != 'E' || source[2] != 'L' || source[3] != 'F' || source[4] != 2 || source[5] != 1)
        {
            throw new InvalidDataException("not an ELF64 little-endian file");
        }

        byte[] elf = (byte[])source.Clone();
        long sections = BitConverter.ToInt64(elf, 0x28);
        int sectionSize = BitConverter.ToUInt16(elf, 0x3A), sectionCount = BitConverter.ToUInt16(elf, 0x3C);
        for (int i = 0; i < sectionCount; i++)
        {
            int header = checked((int)(sections + ((long)i * sectionSize)));
            if (BitConverter.ToUInt32(elf, header + 4) == VersionNeedSection)
            {
                int strings = (int)(sections + (BitConverter.ToUInt32(elf, header + 0x28) * (long)sectionSize));
                return RewriteNeeds(elf,
                    offset: checked((int)BitConverter.ToInt64(elf, header + 0x18)),
                    files: (int)BitConverter.ToUInt32(elf, header + 0x2C),
                    stringsStart: checked((int)BitConverter.ToInt64(elf, strings + 0x18)),
                    stringsLength: checked((int)BitConverter.ToInt64(elf, strings + 0x20)));
            }
        }

        return null;
    }

    private static byte[]? RewriteNeeds(byte[] elf, int offset, int files, int stringsStart, int stringsLength)
    {
        int need = -1, older = -1;
        for (int file = 0; file < files; file++)
        {
            int count = BitConverter.ToUInt16(elf, offset + 2);
            int aux = offset + (int)BitConverter.ToUInt32(elf, offset + 8);
            for (int i = 0; i < count; i++)
            {
                string name = ReadString(elf, stringsStart + (int)BitConverter.ToUInt32(elf, aux + 8));
                need = name == NeededVersion ? aux : need;
                older = name == OlderVersion ? aux : older;
                aux += (int)BitConverter.ToUInt32(elf, aux + 12);
            }

            offset += (int)BitConverter.ToUInt32(elf, offset + 12);
        }

        if (need < 0)
        {
            return null;
        }

        int symbol = IndexOf(elf, Encoding.ASCII.GetBytes("\0" + NeededSymbol + "\0"), stringsStart);
        if (older < 0 || symbol < 0 || symbol >= stringsStart + stringsLength)
        {
            throw new InvalidDataException("asks for " + NeededVersion + " in a way the remedy does not know");
        }

        byte[] harmless = Encoding.ASCII.GetBytes(HarmlessSymbol + "\0");
        Array.Copy(harmless, 0, elf, symbol + 1, harmless.Length);
        Array.Copy(elf, older, elf, need, 4);          // vna_hash
        Array.Copy(elf, older + 8, elf, need + 8, 4);  // vna_name
        return elf;
    }

    private static string ReadString(byte[] bytes, int start)
    {
        int end = Array.IndexOf(bytes, (byte)0, start);
        return Encoding.ASCII.GetString(bytes, start, end - start);
    }

    private static int IndexOf(byte[] bytes, byte[] pattern, int start)
    {
        for (int i = Array.IndexOf(bytes, pattern[0], start); i >= 0 && i <= bytes.Length - pattern.Length; i = Array.IndexOf(bytes, pattern[0], i + 1))
        {
            int j = 1;
            while (j < pattern.Length && bytes[i + j] == pattern[j])
            {
                j++;
            }

            if (j == pattern.Length)
            {
                return i;
            }
        }

        return -1;
    }
}
