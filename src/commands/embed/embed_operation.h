// The map phase of everything that works on vectors: one vector for each image, recalled or computed.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "commands/image_notes.h"
#include "embedder.h"
#include "imgmill/catalog/vector_file.h"
#include "known_poses.h"

namespace imgmill {

/// Where vectors are found again: a catalog's facts, and the file that they point into.
struct VectorStore {
  Catalog* catalog = nullptr;
  std::unique_ptr<VectorFile> file;  ///< null as long as there are no vectors of that kind
};

/// What is known of one image once it has a vector.
struct EmbeddedImage {
  ListedFile file;
  std::string absolute;  ///< canonical path
  bool is_link = false;  ///< the file is a symbolic link
  ContentDigest content;
  FileStamp stamp;
  int64_t width = 0;  ///< upright
  int64_t height = 0;
  ImageNotes notes;  ///< where they were asked for
  VectorFile::Place place;
  const VectorFile* vectors = nullptr;  ///< the file that `place` is in
  VectorFile::Place posed = {};         ///< of the embedder's poses, where there are any: in the other file
};

/// Brings a vector to length 1. False if it has none.
bool Normalise(std::span<float> vector);

class EmbedOperation final : public Operation {
 public:
  /// Vectors are recalled from `known` and kept in `kept`; null means that `known` keeps them.
  /// @param needs_notes  whether an image whose vector is known, and whose notes are not, is looked at again
  /// @param posed  where those of the embedder's poses are recalled from and kept, if it has any; else null
  /// @param others  of other sets of poses; null for none
  /// @param on_image  called in the order of the listing, from one thread at a time.
  EmbedOperation(Embedder& embedder, VectorStore& known, VectorStore* kept, const CommandServices& services,
                 bool needs_notes, std::function<void(EmbeddedImage&)> on_image, VectorStore* posed = nullptr,
                 const KnownPoses* others = nullptr);

  Result<ItemPlan> Plan(const Item& item) const override;
  Result<bool> Recall(const Item& item, Outcome& outcome) override;
  Status Prepare() override;
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override;
  void Collect(Outcome& outcome) override;

 private:
  class Task;

  /// Where an image's vectors are: its own, and those of its poses.
  struct Places {
    VectorFile::Place own, posed;
  };

  /// Null as long as nothing is known.
  VectorFile* FileOf(const VectorStore& store);
  /// Where the vectors of a content are, if they are all there and whole.
  Result<std::optional<Places>> FindVectors(const ContentDigest& content);
  /// Where those of the poses are: also where other sets of poses have them all.
  Result<std::optional<VectorFile::Place>> FindPosed(const ContentDigest& content);
  /// Where one of a kind is, likewise.
  Result<std::optional<VectorFile::Place>> FindVector(const VectorStore& store, const std::string& fact,
                                                      const ContentDigest& content);
  /// Adds a row, unless one is there that is whole, and is not to be made again.
  Status KeepIn(VectorStore& store, const std::string& fact, const ContentDigest& content,
                std::span<const float> row, VectorFile::Place& place) const;
  /// The file of vectors of that kind, which may be made now.
  static Status OpenFile(VectorStore& store, const std::string& kind, size_t dimension);

  Embedder& embedder_;
  VectorStore& known_;
  VectorStore& kept_;
  const bool needs_notes_;
  const bool force_;
  const bool allow_truncated_;
  std::mutex ready_mutex_;  // for it and the files
  std::mutex keep_mutex_;   // of looking for a row and adding one
  bool ready_ = false;
  VectorStore* const posed_;
  const KnownPoses* const others_;
  const std::string& fact_ = traits().fingerprint;  ///< the place of a vector
  const std::string posed_fact_;                    ///< of those of its poses
  std::string notes_fact_;
  std::function<void(EmbeddedImage&)> on_image_;
};

/// An embedder, and the vectors that it has given before.
struct OpenedEmbedding {
  std::unique_ptr<Embedder> embedder;
  VectorStore store;
  VectorStore posed;  ///< of its poses
  KnownPoses others;  ///< of other poses
};

/// By the services' catalog, whose file of such vectors is opened if there is one.
Result<OpenedEmbedding> WithVectors(std::unique_ptr<Embedder> embedder, const CommandServices& services);
/// @param poses  in which images are to be embedded, too
Result<OpenedEmbedding> OpenEmbedding(const EmbeddingOptions& options, const CommandServices& services,
                                      std::vector<int> poses = {});

}  // namespace imgmill
