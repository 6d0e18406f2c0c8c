/*
 * Opus multistream packets of constant size from 48 kHz sound, and back: libopus, restricted low delay.
 *
 * A handle is used by one thread at a time.
 */
#ifndef PF_OPUS_H
#define PF_OPUS_H

#include <stddef.h>
#include <stdint.h>

#define PF_OPUS_ABI 1u
#define PF_OPUS_EXPORT __attribute__((visibility("default")))

#define PF_OPUS_CHANNELS_MAX 8u
#define PF_OPUS_BITRATE_MIN 16000u
#define PF_OPUS_BITRATE_MAX 4096000u
/* 8 streams of 1275 bytes with their lengths in front. */
#define PF_OPUS_PACKET_SIZE_MAX 10232u

enum pf_opus_status {
  PF_OPUS_OK = 0,
  PF_OPUS_EINVAL = -1,   /* an argument is outside the stated limits */
  PF_OPUS_ENOMEM = -2,
  PF_OPUS_ELIBRARY = -3, /* libopus refused the layout */
  PF_OPUS_EPACKET = -4   /* the packet is damaged or of another layout or duration */
};

struct pf_opus_config {       /* 28 bytes; mirrored by ffi/opus.ts */
  uint32_t channels;          /* 1…8 */
  uint32_t streams;           /* 1…channels */
  uint32_t coupled_streams;   /* 0…streams; streams + coupled_streams = channels */
  uint32_t bitrate_bps;       /* of all streams together; the decoder takes 0 */
  uint32_t frame_samples;     /* per channel: 240 or 480; the decoder takes any multiple of 120 up to 5760 */
  uint8_t mapping[8];         /* for each channel, the decoded stream channel that feeds it; the rest 0 */
};
_Static_assert(sizeof(struct pf_opus_config) == 28, "pf_opus_config size");

struct pf_opus_encoder;
struct pf_opus_decoder;

PF_OPUS_EXPORT uint32_t pf_opus_abi(void);

/* *out is NULL after an error. Every packet will have bitrate_bps × duration, rounded down to whole bytes. */
PF_OPUS_EXPORT int32_t pf_opus_encoder_open(const struct pf_opus_config *config, size_t config_len,
                                            struct pf_opus_encoder **out);
/*
 * Interleaved 32-bit float, exactly frame_samples × channels of them; pcm_len and packet_len are bytes.
 * Returns the packet's size, or a negative status.
 */
PF_OPUS_EXPORT int32_t pf_opus_encode(struct pf_opus_encoder *encoder, const float *pcm, size_t pcm_len,
                                      uint8_t *packet, size_t packet_len);
/* NULL is legal, here and below. */
PF_OPUS_EXPORT void pf_opus_encoder_close(struct pf_opus_encoder *encoder);

PF_OPUS_EXPORT int32_t pf_opus_decoder_open(const struct pf_opus_config *config, size_t config_len,
                                            struct pf_opus_decoder **out);
/* A packet_len of 0 conceals a lost packet. pcm_len is bytes and has room for one frame, which is always filled. */
PF_OPUS_EXPORT int32_t pf_opus_decode(struct pf_opus_decoder *decoder, const uint8_t *packet, size_t packet_len,
                                      float *pcm, size_t pcm_len);
PF_OPUS_EXPORT void pf_opus_decoder_close(struct pf_opus_decoder *decoder);

#endif
