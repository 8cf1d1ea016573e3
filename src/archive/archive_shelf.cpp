// Keeps the indexes of the archives in use.
#include "archive/archive_shelf.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <string>
#include <vector>

#include "archive/archive_path.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "imgmill/base/errno_error.h"

namespace imgmill {
namespace {

/// How often a waiting thread looks at the stop flag, which a signal handler sets and cannot announce.
constexpr std::chrono::milliseconds kStopPoll{20};

using Index = std::shared_ptr<const TarIndex>;

bool IsUnchanged(const struct stat& a, const struct stat& b) {
  const auto same = [](const timespec& x, const timespec& y) {
    return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec;
  };
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         same(a.st_mtim, b.st_mtim) && same(a.st_ctim, b.st_ctim);
}

class Shelf {
 public:
  static Shelf& Instance() {
    static Shelf shelf;
    return shelf;
  }

  Result<Index> Get(const std::string& archive) {
    struct stat info {};
    const std::string path = OnDisk(archive);
    if (::stat(path.c_str(), &info) != 0) return ErrnoError(Stage::kList, errno, "");
    std::unique_lock lock(mutex_);
    while (true) {
      const auto found = std::find_if(books_.begin(), books_.end(),
                                      [&](const Book& book) { return IsUnchanged(book.info, info); });
      if (found == books_.end()) {
        ForgetEarlier(info);
        books_.push_front({info});
        return Fill(books_.begin(), path, lock);
      }
      if (!found->reading) {
        books_.splice(books_.begin(), books_, found);
        ++found->uses;
        if (found->index) return found->index;
        if (found->refused) return *found->refused;
        return Fill(found, path, lock);
      }
      changed_.wait_for(lock, kStopPoll);
      if (room_.stop != nullptr && room_.stop->StopRequested())
        return Error{Stage::kList, Code::kInterrupted, "stopped while an archive was read"};
    }
  }

  void Use(ArchiveRoom room) {
    const std::lock_guard lock(mutex_);
    room_ = std::move(room);
    for (Book& book : books_) {
      book.granted.clear();
      book.refused.reset();
      book.hasty_readings = 0;
    }
    MakeRoom();
  }

 private:
  /// An archive; it stays here when its index goes, so that it shows if that is read too often.
  struct Book {
    struct stat info {};
    Index index = nullptr;
    std::optional<Error> refused = {};
    std::vector<std::shared_ptr<void>> granted = {};  ///< a step each
    bool reading = false;                             ///< by a thread that has no lock meanwhile
    uint64_t uses = 0;                                ///< since it was read
    int hasty_readings = 0;                           ///< in a row; see ArchiveRoom::kFewUses
  };
  using Place = std::list<Book>::iterator;

  /// What was here in the place of a file.
  void ForgetEarlier(const struct stat& info) {
    books_.remove_if([&](const Book& book) {
      return !book.reading && book.info.st_dev == info.st_dev && book.info.st_ino == info.st_ino;
    });
  }

  /// Reads it, without the lock: others are looked up meanwhile.
  Result<Index> Fill(Place book, const std::string& path, std::unique_lock<std::mutex>& lock) {
    book->reading = true;
    book->hasty_readings = book->uses < ArchiveRoom::kFewUses ? book->hasty_readings + 1 : 0;
    book->uses = 0;
    const TarIndex::Watch watch{room_.stop, [&](size_t bytes) { return Grow(book, bytes); }};
    std::optional<Result<TarIndex>> read;
    lock.unlock();
    try {
      read = Read(path, watch);
    } catch (...) {  // of those who wait, one tries
      lock.lock();
      books_.erase(book);
      throw;
    }
    lock.lock();
    book->reading = false;
    changed_.notify_all();
    if (!*read) return Refuse(book, read->error());
    const Index index = std::make_shared<const TarIndex>(**std::move(read));
    book->index = index;
    MakeRoom();
    return index;
  }

  Error Refuse(Place book, const Error& error) {
    book->granted.clear();
    if (error.code == Code::kTooLarge) {
      book->refused = error;
    } else {
      books_.erase(book);
    }
    return error;
  }

  static Result<TarIndex> Read(const std::string& path, const TarIndex::Watch& watch) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info {};
    if (!file.valid() || ::fstat(file.get(), &info) != 0) return ErrnoError(Stage::kList, errno, "");
    return TarIndex::Read(file.get(), static_cast<uint64_t>(info.st_size), watch);
  }

  /// Called by the thread that reads it.
  Status Grow(Place book, size_t bytes) {
    if (bytes < ArchiveRoom::kStep || bytes / ArchiveRoom::kStep <= book->granted.size()) return {};
    const std::lock_guard lock(mutex_);
    if (book->hasty_readings > ArchiveRoom::kMostHastyReadings) return ReadInVain(bytes);
    while (book->granted.size() < bytes / ArchiveRoom::kStep) {
      std::shared_ptr<void> granted;
      if (room_.take) {
        Result<std::shared_ptr<void>> step = room_.take(ArchiveRoom::kStep);
        if (!step && Drop(book)) continue;
        if (!step) return TooLarge(bytes, step.error());
        granted = *std::move(step);
      }
      book->granted.push_back(std::move(granted));
    }
    return {};
  }

  static Error TooLarge(size_t bytes, const Error& why) {
    return {
        Stage::kList, Code::kTooLarge,
        "the names of its members take more than " + std::to_string(bytes >> 20) + " MiB: " + why.message};
  }
  static Error ReadInVain(size_t bytes) {
    return {
        Stage::kList, Code::kTooLarge,
        "the names of the members of all archives in use do not fit into memory together, those of this one "
        "take more than " +
            std::to_string(bytes >> 20) + " MiB (use a larger --memory)"};
  }

  /// Lets the one go that was used least lately; false if there is none.
  bool Drop(Place but) {
    for (auto book = books_.end(); book != books_.begin();) {
      --book;
      if (book == but || !book->index) continue;
      book->index.reset();
      book->granted.clear();
      return true;
    }
    return false;
  }

  void MakeRoom() {
    const auto held = [this] {
      size_t bytes = 0;
      for (const Book& book : books_) bytes += book.index ? book.index->memory() : 0;
      return bytes;
    };
    while (books_.size() > 1 && held() > room_.most && Drop(books_.begin())) {
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Book> books_;  ///< the last one asked for first
  ArchiveRoom room_;
};

}  // namespace

Result<Index> OpenArchive(const std::string& archive) {
  return Shelf::Instance().Get(archive);
}

std::shared_ptr<void> UseArchiveRoom(ArchiveRoom room) {
  Shelf::Instance().Use(std::move(room));
  return {&Shelf::Instance(), [](void*) { Shelf::Instance().Use({}); }};
}

}  // namespace imgmill
