// From header to header: contents are passed over.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "archive/pax_record.h"
#include "archive/tar_header.h"
#include "archive/tar_index.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/base/errno_error.h"

namespace imgmill {
namespace {

using tar::Header, tar::HasItsChecksum, tar::IsEmpty, tar::NumberOf, tar::TextOf, tar::kBlock;

/// No pax header is longer than this for honest reasons.
constexpr uint64_t kMostMetadata = 1 << 20;
/// How much of a name that is too long is told.
constexpr size_t kShownOfLong = 100;

Error Unsupported(std::string message) {
  return {Stage::kList, Code::kUnsupported, std::move(message)};
}

/// Of a file whose first block is no header.
Error NoArchive(std::string_view head) {
  constexpr std::pair<std::string_view, const char*> kCompressors[] = {{"\x1F\x8B", "gzip"},
                                                                       {"\x28\xB5\x2F\xFD", "zstd"},
                                                                       {"\xFD"
                                                                        "7zXZ",
                                                                        "xz"},
                                                                       {"BZh", "bzip2"}};
  for (const auto& [mark, name] : kCompressors) {
    if (head.starts_with(mark))
      return Unsupported(std::string("it is compressed by ") + name +
                         ", so no member can be read without all that stand before it: decompress it first");
  }
  return Unsupported("it is not a tar archive");
}

}  // namespace

/// One reading of an archive.
class TarScan {
 public:
  TarScan(int file, uint64_t bytes, const TarIndex::Watch& watch, TarIndex& index)
      : file_(file), bytes_(bytes), watch_(watch), index_(index) {}

  Status Run() {
    if (bytes_ == 0) return Unsupported("it is empty, not a tar archive");
    while (at_ < bytes_) {
      const bool more = TRY(Next());
      if (watch_.may_hold) TRY(watch_.may_hold(index_.memory()));
      if (!more) return {};
    }
    Tell("", "it has no end mark, so it may have been cut off behind its last member");
    return {};
  }

 private:
  /// What headers in front say of the member to come.
  struct Announced {
    std::optional<std::string> name;
    std::optional<std::string> sparse_name;  ///< where `name` is one for programs that know no sparse files
    std::optional<uint64_t> bytes;
    bool sparse = false;
    std::optional<uint64_t> damaged_at;   ///< where in the archive a pax header is
    std::optional<uint64_t> too_long_at;  ///< the same, of one that is not looked into
  };

  /// Reads a header and passes over what follows it; false where nothing more can or need be read.
  Result<bool> Next() {
    Header header;
    const size_t got = TRY(ReadAt(at_, header.data(), header.size()));
    if (at_ == 0 && (got < header.size() || (!HasItsChecksum(header) && !IsEmpty(header))))
      return NoArchive({header.data(), got});
    if (got < header.size()) return Stop("it ends in the middle of a header");
    if (IsEmpty(header)) return End();
    const std::optional<uint64_t> size = NumberOf(header, tar::kSize);
    if (!HasItsChecksum(header) || !size)
      return Stop("it is damaged at byte " + std::to_string(at_) + "; what follows is not read");
    const char type = header[tar::kType.at];
    const uint64_t start = TRY(EndOfHeader(header));
    const bool about_next = type == 'x' || type == 'L' || type == 'K';
    const bool about_all = type == 'g' || type == 'V';  // times, a label
    // Links and devices have no content, whatever their size says.
    const bool hollow = type >= '1' && type <= '6';
    const uint64_t bytes = hollow ? 0 : about_next || about_all ? *size : announced_.bytes.value_or(*size);
    if (start > bytes_ || bytes > bytes_ - start)
      return Stop(Plain(NameOf(header)), "the archive ends in the middle of it");
    at_ = std::min(bytes_, start + bytes + tar::PaddingOf(bytes));
    if (about_next) {
      TRY(Announce(type, start, bytes));
      return true;
    }
    if (about_all) return true;
    if (announced_.damaged_at || announced_.too_long_at) {
      TellOfPax(Plain(NameOf(header)));
    } else {
      Take(NameOf(header), type, start, bytes);
    }
    announced_ = {};
    return true;
  }

  /// Behind a block of zeros there are zeros to the end, or another archive, as `cat` has put it there;
  /// unless something was lost. Looks at as many as writers pad with. @return whether another archive begins
  /// at `at_`
  Result<bool> End() {
    constexpr uint64_t kMostPadding = uint64_t{1} << 20;
    if (announced_.damaged_at || announced_.too_long_at) TellOfPax("");  // of no member
    announced_ = {};
    Header block;
    const uint64_t end = std::min(bytes_, at_ + kMostPadding);
    for (uint64_t at = at_ + kBlock; at < end; at += kBlock) {
      const size_t got = TRY(ReadAt(at, block.data(), block.size()));
      if (std::all_of(block.begin(), block.begin() + got, [](char byte) { return byte == 0; })) continue;
      if (got == block.size() && HasItsChecksum(block) && MayEndAt(at)) {
        began_ = at_ = at;
        return true;
      }
      return Stop("more follows behind zeros at byte " + std::to_string(at_) +
                  ", which is not read: it is damaged, or what was put behind it is no archive");
    }
    return false;
  }

  /// Writers end an archive by two blocks of zeros (POSIX), and most then fill a record of 20 blocks. Other
  /// zeros in front of a header are a hole, in which members were.
  bool MayEndAt(uint64_t end) const {
    constexpr uint64_t kEndMark = 2 * kBlock, kRecord = 20 * kBlock;
    return end == at_ + kEndMark || (end > at_ + kEndMark && (end - began_) % kRecord == 0);
  }

  /// The map of a sparse file may go on in further blocks.
  Result<uint64_t> EndOfHeader(const Header& header) {
    constexpr size_t kGoesOn = 482, kGoesOnAgain = 504;
    uint64_t end = at_ + kBlock;
    bool more = header[tar::kType.at] == 'S' && header[kGoesOn] != 0;
    while (more) {
      Header map{};
      const size_t got = TRY(ReadAt(end, map.data(), map.size()));
      more = got == map.size() && map[kGoesOnAgain] != 0;
      end += kBlock;
    }
    return end;
  }

  std::string NameOf(const Header& header) const {
    if (announced_.sparse_name) return *announced_.sparse_name;
    if (announced_.name) return *announced_.name;
    const std::string_view name = TextOf(header, tar::kName);
    // GNU's own format has times where ustar has the prefix.
    const bool ustar = std::memcmp(header.data() + tar::kMagic.at, "ustar\0", 6) == 0;
    const std::string_view prefix = ustar ? TextOf(header, tar::kPrefix) : std::string_view();
    return prefix.empty() ? std::string(name) : std::string(prefix) + "/" + std::string(name);
  }

  Status Announce(char type, uint64_t start, uint64_t bytes) {
    if (type == 'L') {
      // What is too long shows by its beginning.
      const std::string text = TRY(TextAt(start, std::min<uint64_t>(bytes, TarIndex::kLongestName + 1)));
      announced_.name = text.substr(0, text.find('\0'));
    }
    if (type == 'x' && bytes > kMostMetadata) announced_.too_long_at = start;
    if (type == 'x' && bytes <= kMostMetadata) {
      const std::string text = TRY(TextAt(start, bytes));
      AnnouncePax(text, start);
    }
    return {};
  }

  void AnnouncePax(std::string_view text, uint64_t start) {
    const size_t whole = text.size();
    while (!text.empty()) {
      const size_t at = whole - text.size();
      const std::optional<tar::PaxRecord> record = tar::TakePaxRecord(text);
      if (record && Note(*record)) continue;
      announced_.damaged_at = start + at;
      return;
    }
  }

  /// False where it cannot be: names have no NUL, and sizes are digits.
  bool Note(const tar::PaxRecord& record) {
    const auto& [key, value] = record;
    if (key.starts_with("GNU.sparse.")) announced_.sparse = true;
    if (key == "path" || key == "GNU.sparse.name") {
      (key == "path" ? announced_.name : announced_.sparse_name) = std::string(value);
      return value.find('\0') == std::string_view::npos;
    }
    if (key != "size") return true;
    uint64_t bytes = 0;
    const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), bytes);
    if (wrong != std::errc() || end != value.data() + value.size()) return false;
    announced_.bytes = bytes;
    return true;
  }

  static std::string Plain(const std::string& stored) {
    std::string name = WithoutRedundancy(stored);
    if (name.starts_with('/')) name.erase(0, 1);
    return name;
  }

  static bool LeadsOut(std::string_view name) {
    int depth = 0;
    while (!name.empty() && depth >= 0) {
      const std::string_view part = name.substr(0, name.find('/'));
      depth += part == ".." ? -1 : 1;
      name.remove_prefix(std::min(part.size() + 1, name.size()));
    }
    return depth < 0;
  }

  void Take(const std::string& stored, char type, uint64_t start, uint64_t bytes) {
    if (type == '5') return;  // a folder
    if (stored.size() > TarIndex::kLongestName)
      return Tell(stored, Code::kLimitExceeded,
                  "its name is longer than the " + std::to_string(TarIndex::kLongestName) +
                      " bytes that a path can have");
    if ((type == '0' || type == '\0') && stored.ends_with('/')) return;  // a folder of the oldest format
    const std::string name = Plain(stored);
    if (name.empty() || name == ".") return Tell(stored, "a member without a name");
    if (LeadsOut(name)) return Tell(stored, "its name leads out of the archive");
    if (("/" + name + "/").find("/../") != std::string::npos)
      return Tell(name, "its name goes up by \"..\", which is not followed (unpack the archive)");
    if (type == '1' || type == '2')
      return Tell(name, "it is a link inside of an archive, which is not followed (unpack the archive)");
    if (type == 'S' || announced_.sparse)
      return Tell(name, "it is stored as a sparse file, which is not read (unpack the archive)");
    if (type == '0' || type == '\0' || type == '7') return index_.Add(name, start, bytes);
    Tell(name, "it is not a regular file");
  }

  void TellOfPax(std::string name) {
    const bool damaged = announced_.damaged_at.has_value();
    const uint64_t at = damaged ? *announced_.damaged_at : *announced_.too_long_at;
    Tell(std::move(name), damaged ? Code::kMalformed : Code::kLimitExceeded,
         std::string("the pax header in front of it, which may tell another name and size, is ") +
             (damaged ? "damaged at" : "longer than 1 MiB, at") + " byte " + std::to_string(at));
  }
  void Tell(std::string name, std::string message) {
    Tell(std::move(name), Code::kUnsupported, std::move(message));
  }
  void Tell(std::string name, Code code, std::string message) {
    if (name.size() > TarIndex::kLongestName) name = name.substr(0, kShownOfLong) + "...";
    index_.Tell(std::move(name), {Stage::kList, code, std::move(message)});
  }
  bool Stop(std::string message) { return Stop("", std::move(message)); }
  bool Stop(std::string name, std::string message) {
    Tell(std::move(name), Code::kTruncated, std::move(message));
    return false;
  }

  Result<std::string> TextAt(uint64_t start, uint64_t bytes) {
    std::string text(bytes, '\0');
    const size_t got = TRY(ReadAt(start, text.data(), text.size()));
    text.resize(got);
    return text;
  }

  Result<size_t> ReadAt(uint64_t at, char* to, size_t bytes) {
    size_t have = 0;
    if (watch_.stop != nullptr && watch_.stop->StopRequested())
      return Error{Stage::kList, Code::kInterrupted, "stopped while an archive was read"};
    while (have < bytes) {
      const ssize_t got = ::pread(file_, to + have, bytes - have, static_cast<off_t>(at + have));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Error{Stage::kList, Code::kReadError, ErrnoText(errno)};
      if (got == 0) break;
      have += static_cast<size_t>(got);
    }
    return have;
  }

  const int file_;
  const uint64_t bytes_;
  const TarIndex::Watch& watch_;
  TarIndex& index_;
  uint64_t at_ = 0;
  uint64_t began_ = 0;  ///< where the archive of those joined in the file began that is read
  Announced announced_;
};

Result<TarIndex> TarIndex::Read(int file, uint64_t bytes, const Watch& watch) {
  TarIndex index;
  TRY(TarScan(file, bytes, watch, index).Run());
  TRY(index.Sort(watch));
  return index;
}

}  // namespace imgmill
