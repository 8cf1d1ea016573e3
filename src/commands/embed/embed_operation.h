// The map phase of everything that works on vectors: one vector for each image, recalled or computed.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "commands/image_notes.h"
#include "embedder.h"
#include "imgmill/catalog/vector_file.h"

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
};

/// Brings a vector to length 1. False if it has none.
bool Normalise(std::span<float> vector);

class EmbedOperation final : public Operation {
 public:
  /// Vectors are recalled from `known` and kept in `kept`; null means that `known` keeps them.
  /// @param needs_notes  whether an image whose vector is known, and whose notes are not, is looked at again
  /// @param on_image  called in the order of the listing, from one thread at a time.
  EmbedOperation(Embedder& embedder, VectorStore& known, VectorStore* kept, const CommandServices& services,
                 bool needs_notes, std::function<void(EmbeddedImage&)> on_image);

  Result<ItemPlan> Plan(const Item& item) const override;
  Result<bool> Recall(const Item& item, Outcome& outcome) override;
  Status Prepare() override;
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override;
  void Collect(Outcome& outcome) override;

 private:
  class Task;

  /// Null as long as nothing is known.
  VectorFile* KnownFile();
  /// Where the vector of a content is, if there is one and it is whole.
  Result<std::optional<VectorFile::Place>> FindVector(const ContentDigest& content);

  Embedder& embedder_;
  VectorStore& known_;
  VectorStore& kept_;
  const bool needs_notes_;
  const bool force_;
  const bool allow_truncated_;
  std::mutex ready_mutex_;  // for it and the files
  std::mutex keep_mutex_;   // of looking for a row and adding one
  bool ready_ = false;
  const std::string& fact_ = traits().fingerprint;  ///< the place of a vector
  std::string notes_fact_;
  std::function<void(EmbeddedImage&)> on_image_;
};

/// An embedder, and the vectors that it has given before.
struct OpenedEmbedding {
  std::unique_ptr<Embedder> embedder;
  VectorStore store;
};

/// By the services' catalog, whose file of such vectors is opened if there is one.
Result<OpenedEmbedding> WithVectors(std::unique_ptr<Embedder> embedder, const CommandServices& services);
Result<OpenedEmbedding> OpenEmbedding(const EmbeddingOptions& options, const CommandServices& services);

}  // namespace imgmill
