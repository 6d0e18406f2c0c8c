#include <opus/opus_multistream.h>
#include <stdlib.h>
#include <string.h>

#include "opus.h"

#define SAMPLE_RATE 48000

struct pf_opus_encoder {
  OpusMSEncoder *library;
  uint32_t channels, frame_samples;
  int32_t packet_size;
};

struct pf_opus_decoder {
  OpusMSDecoder *library;
  uint32_t channels, frame_samples;
};

uint32_t pf_opus_abi(void) { return PF_OPUS_ABI; }

static int is_layout_valid(const struct pf_opus_config *config) {
  if (config->channels < 1 || config->channels > PF_OPUS_CHANNELS_MAX) return 0;
  if (config->streams < 1 || config->streams > config->channels || config->coupled_streams > config->streams) return 0;
  if (config->streams + config->coupled_streams != config->channels) return 0;
  uint32_t seen = 0;
  for (uint32_t i = 0; i < config->channels; i++) {
    if (config->mapping[i] >= config->channels) return 0;
    seen |= 1u << config->mapping[i];
  }
  return seen == (1u << config->channels) - 1;
}

static int32_t configure(OpusMSEncoder *library, uint32_t bitrate_bps) {
  /* Complexity 5 costs about half of 10 and cannot be told from it at these rates. */
  const int is_set = opus_multistream_encoder_ctl(library, OPUS_SET_BITRATE((opus_int32)bitrate_bps)) == OPUS_OK &&
                     opus_multistream_encoder_ctl(library, OPUS_SET_VBR(0)) == OPUS_OK &&
                     opus_multistream_encoder_ctl(library, OPUS_SET_COMPLEXITY(5)) == OPUS_OK;
  return is_set ? PF_OPUS_OK : PF_OPUS_ELIBRARY;
}

int32_t pf_opus_encoder_open(const struct pf_opus_config *config, size_t config_len, struct pf_opus_encoder **out) {
  if (out == NULL) return PF_OPUS_EINVAL;
  *out = NULL;
  if (config == NULL || config_len != sizeof *config || !is_layout_valid(config) ||
      (config->frame_samples != 240 && config->frame_samples != 480) || config->bitrate_bps < PF_OPUS_BITRATE_MIN || config->bitrate_bps > PF_OPUS_BITRATE_MAX) {
    return PF_OPUS_EINVAL;
  }
  struct pf_opus_encoder *encoder = calloc(1, sizeof *encoder);
  if (encoder == NULL) return PF_OPUS_ENOMEM;
  encoder->channels = config->channels;
  encoder->frame_samples = config->frame_samples;
  encoder->packet_size = (int32_t)((uint64_t)config->bitrate_bps * config->frame_samples / SAMPLE_RATE / 8);
  int error = OPUS_OK;
  encoder->library = opus_multistream_encoder_create(SAMPLE_RATE, (int)config->channels, (int)config->streams,
                                                     (int)config->coupled_streams, config->mapping,
                                                     OPUS_APPLICATION_RESTRICTED_LOWDELAY, &error);
  if (encoder->library == NULL || configure(encoder->library, config->bitrate_bps) != PF_OPUS_OK) {
    pf_opus_encoder_close(encoder);
    return error == OPUS_ALLOC_FAIL ? PF_OPUS_ENOMEM : PF_OPUS_ELIBRARY;
  }
  *out = encoder;
  return PF_OPUS_OK;
}

int32_t pf_opus_encode(struct pf_opus_encoder *encoder, const float *pcm, size_t pcm_len, uint8_t *packet,
                       size_t packet_len) {
  if (encoder == NULL || pcm == NULL || packet == NULL) return PF_OPUS_EINVAL;
  if (pcm_len != sizeof(float) * encoder->channels * encoder->frame_samples) return PF_OPUS_EINVAL;
  if (packet_len < (size_t)encoder->packet_size) return PF_OPUS_EINVAL;
  const int size = opus_multistream_encode_float(encoder->library, pcm, (int)encoder->frame_samples, packet,
                                                 encoder->packet_size);
  return size == encoder->packet_size ? size : PF_OPUS_ELIBRARY;
}

void pf_opus_encoder_close(struct pf_opus_encoder *encoder) {
  if (encoder == NULL) return;
  if (encoder->library != NULL) opus_multistream_encoder_destroy(encoder->library);
  free(encoder);
}

int32_t pf_opus_decoder_open(const struct pf_opus_config *config, size_t config_len, struct pf_opus_decoder **out) {
  if (out == NULL) return PF_OPUS_EINVAL;
  *out = NULL;
  if (config == NULL || config_len != sizeof *config || !is_layout_valid(config)) return PF_OPUS_EINVAL;
  if (config->frame_samples < 120 || config->frame_samples > 5760 || config->frame_samples % 120 != 0) {
    return PF_OPUS_EINVAL;
  }
  struct pf_opus_decoder *decoder = calloc(1, sizeof *decoder);
  if (decoder == NULL) return PF_OPUS_ENOMEM;
  decoder->channels = config->channels;
  decoder->frame_samples = config->frame_samples;
  int error = OPUS_OK;
  decoder->library = opus_multistream_decoder_create(SAMPLE_RATE, (int)config->channels, (int)config->streams,
                                                     (int)config->coupled_streams, config->mapping, &error);
  if (decoder->library == NULL) {
    pf_opus_decoder_close(decoder);
    return error == OPUS_ALLOC_FAIL ? PF_OPUS_ENOMEM : PF_OPUS_ELIBRARY;
  }
  *out = decoder;
  return PF_OPUS_OK;
}

int32_t pf_opus_decode(struct pf_opus_decoder *decoder, const uint8_t *packet, size_t packet_len, float *pcm,
                       size_t pcm_len) {
  if (decoder == NULL || pcm == NULL || packet_len > PF_OPUS_PACKET_SIZE_MAX) return PF_OPUS_EINVAL;
  if (packet == NULL && packet_len > 0) return PF_OPUS_EINVAL;
  if (pcm_len != sizeof(float) * decoder->channels * decoder->frame_samples) return PF_OPUS_EINVAL;
  const int samples = opus_multistream_decode_float(decoder->library, packet_len > 0 ? packet : NULL,
                                                    (int)packet_len, pcm, (int)decoder->frame_samples, 0);
  if (samples == (int)decoder->frame_samples) return PF_OPUS_OK;
  memset(pcm, 0, pcm_len);
  return PF_OPUS_EPACKET;
}

void pf_opus_decoder_close(struct pf_opus_decoder *decoder) {
  if (decoder == NULL) return;
  if (decoder->library != NULL) opus_multistream_decoder_destroy(decoder->library);
  free(decoder);
}
